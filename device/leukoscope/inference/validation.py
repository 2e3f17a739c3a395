"""How a classifier named cells it had not learnt from: truth against answer, by collection, counted."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leukoscope.errors import BundleError
from leukoscope.schema import FrozenModel, explain

Count = Annotated[int, Field(ge=0, le=10**9)]


class ConfusionMatrix(FrozenModel):
    """The cells of one collection."""

    collection: str
    """What the collection is called."""
    held_out_by: Literal["patient", "slide", "picture"]
    """What is never in training and here at once; pictures of one patient may be in both with "picture"."""
    truth: tuple[str, ...]
    """What the cells are, one per row: a class, a group of the bundle such as "neutrophil", or a label of neither."""
    named: tuple[str, ...]
    """Answers as the device gives them, one per column: every class, and "unsure"."""
    counts: tuple[tuple[Count, ...], ...]
    """Cells by truth and answer."""

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        if len(self.counts) != len(self.truth) or any(len(row) != len(self.named) for row in self.counts):
            raise ValueError(f"expected {len(self.truth)} rows of {len(self.named)} counts")
        return self


class Validation(FrozenModel):
    """`validation.json` of a classifier's bundle."""

    schema_version: Literal[1] = 1
    matrices: tuple[ConfusionMatrix, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file that `Bundle.validation_path` names.

        Raises:
            BundleError: it cannot be read or is malformed.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror})", "install the bundle again") from error
        except ValidationError as error:
            raise BundleError(f"{path}: {explain(error)}", "install the bundle again") from error
