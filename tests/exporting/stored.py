"""Stored reports to export."""

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from leukoscope.exporting.original import Original
from leukoscope.exporting.report_pictures import Gallery
from leukoscope.messages.report import encode
from leukoscope.specimen.sample import (
    ClassCount,
    CorrectedDifferential,
    CorrectedShare,
    RulesIdentity,
    SampleReport,
)
from tests.messages.examples import NOW, report

DIFFERENTIAL = (
    ClassCount("segmented", 60, 0.6, 0.497, 0.697, 12),
    ClassCount("blast", 2, 0.02, 0.002, 0.07, 12),
    ClassCount("lymphocyte", 38, 0.38, 0.285, 0.482, 12),
    ClassCount("never_heard_of", 0, 0.0, 0.0, 0.036, 0),
)
CORRECTED = CorrectedDifferential(
    "as a test would",
    0.0625,
    tuple(CorrectedShare(line.cell_class, 0.9 * line.share, 0.8 * line.low, line.high, 300) for line in DIFFERENTIAL),
    (CorrectedShare("neutrophil", 0.58, 0.47, 0.69, 812),),
)


def blood(**changes: Any) -> SampleReport:
    """A blood smear with a class that no laboratory has a code for."""
    message = {
        "differential": DIFFERENTIAL,
        "differential_corrected": CORRECTED,
        "beside": {"erythroblast": 3, "unsure": 4},
    }
    return report(**(message | changes))  # type: ignore[arg-type]


def marrow(**changes: Any) -> SampleReport:
    """The same counts by rules for marrow."""
    return blood(rules=RulesIdentity("ours", "1.0.0", "d" * 64, "marrow"), **changes)


def original(message: SampleReport | None = None, status: str = "preliminary") -> Original:
    """A report as it is found."""
    return Original(blood() if message is None else message, status, None)


def store(message: SampleReport, folder: Path) -> Path:
    """Write a report as the device does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"report-{message.id}-v{message.version}.json"
    path.write_text(json.dumps(encode(message, boot_id="b", sequence=1, sent_clock=NOW)))
    return path


def picture(colour: str = "purple", side: int = 20, kind: str = "PNG") -> bytes:
    """A picture file."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(out, kind)
    return out.getvalue()


def gallery() -> Gallery:
    """Pictures of two classes."""
    return Gallery({"segmented": [picture()] * 9, "blast": [picture("blue")]})
