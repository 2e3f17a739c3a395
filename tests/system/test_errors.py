from collections.abc import Callable
from pathlib import Path

import pytest

from leukoscope.bundles.fetching import fetch
from leukoscope.errors import BundleError, CalibrationError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.optics.calibration_record import read_record


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (lambda folder: fetch(str(folder / "none.leukoscope")), BundleError),
        (lambda folder: Bundle.read(folder / "bundle"), BundleError),
        (read_record, CalibrationError),
    ],
)
def test_what_cannot_be_read_is_named_once_and_without_an_error_number(
    tmp_path: Path, read: Callable[[Path], object], kind: type[LeukoscopeError]
) -> None:
    (tmp_path / "bundle" / "manifest.toml").mkdir(parents=True)
    with pytest.raises(kind, match=r"cannot be read \((No such file or directory|Is a directory)\)") as caught:
        read(tmp_path)
    assert "Errno" not in str(caught.value)
    assert str(caught.value).count(str(tmp_path)) == 1
