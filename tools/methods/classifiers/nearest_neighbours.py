"""The seven nearest neighbours."""

from sklearn.neighbors import KNeighborsClassifier

from methods.kinds import ClassifierKind

METHOD = ClassifierKind("kNN", "Cover & Hart 1967", lambda: KNeighborsClassifier(7, weights="distance"))
