"""A bench with samples that were counted without a camera: cells, pictures and numbers that belong together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

from leukoscope.counting.gallery import encode_webp
from leukoscope.counting.outline_polygon import polygon_of
from leukoscope.inference.bundle import Bundle
from leukoscope.outbox.cell_pictures import keep_pictures
from leukoscope.outbox.record_report import record
from leukoscope.outbox.store import Outbox
from leukoscope.specimen.census import CellPicture, CellRecord
from leukoscope.specimen.sample import SampleReport
from leukoscope.statistics.recount import Grounds, recount
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Naming
from leukoscope.system.assets import find_asset
from leukoscope.system.clock import utc_now
from tests.commands.test_run import write_bench
from tests.messages.examples import IDENTITY, report

CELLS = {"segmented": 6, "lymphocyte": 4, "blast": 2, "monocyte": 1, "unsure": 5}
"""White cells by class."""


def grounds() -> Grounds:
    """Those of the shipped classifier, which is not corrected here."""
    facts = Bundle.read(find_asset("models", "classifier")).manifest.classifier
    assert facts is not None
    return Grounds(Naming(facts.classes, facts.groups), 0.1, Rules.shipped())


def cells_of(counts: dict[str, int]) -> list[CellRecord]:
    """Numbered cells, the unsure ones with a low confidence."""
    names = [name for name, count in counts.items() for _ in range(count)]
    return [
        CellRecord(number, 1 + number // 3, name, 0.45 if name == "unsure" else 0.9, (10, 10, 90, 90), (), shares(name))
        for number, name in enumerate(names, start=1)
    ]


def shares(name: str) -> dict[str, float]:
    """Probability by class, of a cell that the device calls so."""
    return {"segmented": 0.9, "band": 0.1} if name == "segmented" else {}


def picture_of(number: int) -> CellPicture:
    """A violet disc that differs from cell to cell, and its outline."""
    rows, cols = np.mgrid[:96, :96]
    disc = (rows - 48) ** 2 + (cols - 48) ** 2 < (22 + number % 9) ** 2
    pixels = np.where(disc[..., None], (96 + number % 40, 58, 143), (240, 214, 222)).astype(np.uint8)
    outline = tuple((round(x, 1), round(y, 1)) for x, y in polygon_of(disc))
    return replace(encode_webp(pixels, 0.15), outline=outline)


def make_sample(outbox: Outbox, sample_id: str, number: int = 1, counts: dict[str, int] | None = None) -> SampleReport:
    """Put a counted sample into an outbox, with the pictures of its cells."""
    cells, made = cells_of(CELLS if counts is None else counts), grounds()
    finished = utc_now() - timedelta(minutes=number)
    example = report()
    empty = replace(
        example,
        red_cells=replace(example.red_cells, measured=example.red_cells.count),
        id=str(UUID(int=number)),
        version=1,
        sample_id=sample_id,
        started_at=finished - timedelta(minutes=3),
        finished_at=finished,
    )
    answers: dict[str, int] = {}
    for cell in cells:
        answers[cell.cell_class] = answers.get(cell.cell_class, 0) + 1
    counted = recount(empty, made, answers, {})
    record(counted, outbox, IDENTITY, now=utc_now, cells=cells, grounds=made.to_json())
    keep_pictures(counted, [(cell, picture_of(cell.number)) for cell in cells], outbox, IDENTITY, now=utc_now)
    return counted


def make_bench(folder: Path, samples: Sequence[str] = ("S-17",)) -> Path:
    """A settings file, and an outbox that holds these samples."""
    bench = write_bench(folder)
    with Outbox.open(folder / "state" / "outbox.sqlite") as outbox:
        for number, sample_id in enumerate(samples, start=1):
            make_sample(outbox, sample_id, number)
    return bench
