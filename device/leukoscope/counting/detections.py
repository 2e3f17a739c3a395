"""What of a counted field is kept once its picture is gone."""

from dataclasses import dataclass

from leukoscope.analysis.morphology import shape_of
from leukoscope.specimen.cell import CellInstance, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField
from leukoscope.specimen.slide import CellDetection

SHARE_DIGITS, UM_DIGITS = 3, 2
"""Behind the point: what is beyond is noise, and is written to a memory card."""


@dataclass(frozen=True, slots=True)
class FieldDetections:
    """A counted field without its picture."""

    detections: tuple[CellDetection, ...]
    rows: int
    cols: int
    um_per_px: float


def field_detections(field: CountedField, number: int) -> FieldDetections:
    """What is kept of a field, the sample's `number`-th."""
    rows, cols = field.micrograph.pixels.shape[:2]
    return FieldDetections(detections_of(field, number), rows, cols, field.micrograph.um_per_px)


def detections_of(field: CountedField, number: int) -> tuple[CellDetection, ...]:
    """Every cell of a field, the field being the sample's `number`-th."""
    rows, cols = field.micrograph.pixels.shape[:2]
    return tuple(_detection(cell, number, rows, cols) for cell in field.cells)


def _detection(cell: ClassifiedCell, number: int, rows: int, cols: int) -> CellDetection:
    instance = cell.instance
    # Of a cell that others hide as a whole there is no size and no form to measure.
    whole = not instance.touches_border and bool(instance.outline.any())
    return CellDetection(
        field=number,
        kind=instance.kind,
        box=instance.box,
        score=round(instance.confidence, SHARE_DIGITS),
        whole=whole,
        in_frame=_in_counting_frame(instance, rows, cols),
        cell_class=cell.cell_class,
        confidence=round(cell.confidence, SHARE_DIGITS),
        probabilities={key: round(share, SHARE_DIGITS) for key, share in cell.probabilities.items()},
        diameter_um=round(instance.diameter_um, UM_DIGITS),
        suspect=cell.suspect,
        irregular=whole and instance.kind is CellKind.RBC and shape_of(instance.outline).irregular,
    )


def _in_counting_frame(cell: CellInstance, rows: int, cols: int) -> bool:
    """Not cut by the right or lower edge; a box within a pixel of an edge is taken as cut by it."""
    if not cell.touches_border:
        return True
    return cell.box.row_end < rows - 1 and cell.box.col_end < cols - 1
