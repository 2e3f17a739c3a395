"""Logistic regression."""

from sklearn.linear_model import LogisticRegression

from methods.kinds import ClassifierKind

METHOD = ClassifierKind(
    "logistic regression", "Cox 1958", lambda: LogisticRegression(C=0.1, class_weight="balanced", max_iter=150)
)
