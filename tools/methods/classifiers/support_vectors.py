"""A support vector machine with a Gaussian kernel."""

from sklearn.svm import SVC

from methods.kinds import ClassifierKind

METHOD = ClassifierKind("SVM", "Cortes & Vapnik 1995", lambda: SVC(C=10.0, class_weight="balanced", cache_size=400))
