"""A random forest of 100 trees."""

from sklearn.ensemble import RandomForestClassifier

from methods.kinds import ClassifierKind

METHOD = ClassifierKind(
    "random forest",
    "Breiman 2001",
    lambda: RandomForestClassifier(100, min_samples_leaf=2, class_weight="balanced", random_state=0),
)
