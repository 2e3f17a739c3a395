"""Fuzzy rules: one per cluster of a class, each "near here in every feature" (Takagi & Sugeno 1985)."""

from typing import Self

import numpy as np
from skfuzzy import gaussmf
from skfuzzy.cluster import cmeans
from sklearn.base import BaseEstimator, ClassifierMixin

from methods.kinds import ClassifierKind, Matrix, Words

RULES = 3
"""Per class, as far as it has cells enough."""
FEATURES = 12
"""The first so many components; a rule over more is never fulfilled."""


class FuzzyRules(ClassifierMixin, BaseEstimator):  # type: ignore[misc,unused-ignore]
    """Learns clusters of each class by fuzzy c-means; the class whose rule fires most is the answer."""

    def fit(self, rows: Matrix, labels: Words) -> Self:
        """Rules of (rule, feature) middles and widths."""
        seen = rows[:, :FEATURES].astype(np.float64)
        middles, widths, names = [], [], []
        for name in np.unique(labels):
            own = seen[labels == name]
            rules = max(1, min(RULES, len(own) // 10))
            centres, share = cmeans(own.T, rules, 2.0, error=1e-3, maxiter=60, seed=0)[:2]
            for centre, weight in zip(centres, share**2, strict=True):
                middles.append(centre)
                widths.append(np.sqrt((weight[:, None] * (own - centre) ** 2).sum(axis=0) / weight.sum()) + 0.1)
                names.append(name)
        self.middles_, self.widths_, self.names_ = np.array(middles), np.array(widths), np.array(names)
        return self

    def predict(self, rows: Matrix) -> Words:
        """The class of the rule with the greatest product of memberships."""
        seen = rows[:, :FEATURES].astype(np.float64)
        fired = np.zeros((len(seen), len(self.names_)))
        for index, (middle, width) in enumerate(zip(self.middles_, self.widths_, strict=True)):
            for feature in range(seen.shape[1]):
                membership = gaussmf(seen[:, feature], middle[feature], width[feature])
                # A product of memberships as a sum of logarithms, or many features make all of them zero.
                fired[:, index] += np.log(np.maximum(membership, 1e-30)) - np.log(width[feature])
        return np.asarray(self.names_[np.argmax(fired, axis=1)])


METHOD = ClassifierKind("fuzzy rules", "Takagi & Sugeno 1985", FuzzyRules)
