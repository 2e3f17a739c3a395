"""One minus the greatest probability; a temperature moves no cell past another by much, so none is fitted."""

from methods.knowing import OutlierMethod, shares

METHOD = OutlierMethod(
    "greatest probability (temperature)",
    "Hendrycks & Gimpel 2017; Guo et al. 2017",
    lambda knowing: lambda pictures: 1 - shares(knowing.logits(pictures)).max(axis=1),
)
