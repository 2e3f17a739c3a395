"""A decision tree."""

from sklearn.tree import DecisionTreeClassifier

from methods.kinds import ClassifierKind

METHOD = ClassifierKind(
    "decision tree",
    "Breiman et al. 1984",
    lambda: DecisionTreeClassifier(min_samples_leaf=5, class_weight="balanced", random_state=0),
)
