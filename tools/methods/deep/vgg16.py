"""VGG-16."""

from methods.deep.vgg import fit_of, published
from methods.kinds import DeepMethod

HOW = "from scratch, an eighth of the channels, 64 px" if published(16) is None else "transfer from ImageNet"
METHOD = DeepMethod(f"VGG-16, {HOW}", "Simonyan & Zisserman 2015", fit_of(16))
