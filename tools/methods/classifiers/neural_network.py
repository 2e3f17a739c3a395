"""An artificial neural network with one hidden layer."""

from sklearn.neural_network import MLPClassifier

from methods.kinds import ClassifierKind

METHOD = ClassifierKind(
    "neural network",
    "Rumelhart, Hinton & Williams 1986",
    lambda: MLPClassifier((64,), alpha=1e-2, max_iter=60, random_state=0),
)
