"""The plan of the shipped classifier, from scratch on the same cells and in the same time as the others."""

from classifier_net import ClassifierNet
from methods.kinds import DeepMethod
from methods.learning import named_by

SIDE_PX = 64
METHOD = DeepMethod(
    "our CNN's plan, from scratch, 64 px", "models/recipes/classifier_net.py", named_by(ClassifierNet, SIDE_PX)
)
