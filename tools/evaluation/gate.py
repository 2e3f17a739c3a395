"""What blur does to sharpness, to the gate and to the network: the evidence for the gate's limit."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.table import Table

from evaluation.focus import (
    BLURS_UM,
    COSTLY,
    FAR_UM,
    NOISE,
    BlurredField,
    losses_in,
    measure,
    ordered_between,
    ordered_within,
    refusals,
)
from evaluation.tables import read_fields, spread
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.optics.quality import QualityLimits

MEASURES = {"sharpness": "the gate's", "laplacian": "variance of Laplacian"}
BANDS = (0.0, 0.08, 0.10, 0.12, 0.14, 0.15, 0.16, 0.17, 0.18, 0.19, 0.20, 0.22, 0.24, 0.28, 0.32, 0.40, 1.0)
"""Bounds of the sharpness over which losses are averaged."""
LIMITS = (0.10, 0.12, 0.15, 0.18, 0.20, 0.22, 0.25, 0.28)


def gate_tables(segmenter: Segmenter, data: Path, limit: int) -> Iterator[Table]:
    """How sharpness orders blurs, what blur costs, and what limits refuse; arguments as in `field_table`.

    Real fields are blurred by known amounts. A pair of two blurs is ordered rightly when the less blurred one measures
    more. What a blur costs is the F1 of all cells that the same field lost by it.
    """
    fields = {name: spread(read_fields(data, name, "val"), limit) for name in ("txl", "deepbionet")}
    seen = {name: measure(some, segmenter=segmenter) for name, some in fields.items()}
    yield from (_order(seen), _blurs(seen), _bands(seen), _limits(seen))
    yield _far({name: measure(some, FAR_UM, noise=NOISE) for name, some in fields.items()})


def _order(seen: dict[str, list[BlurredField]]) -> Table:
    table = Table(title="Pairs of blurs ordered rightly")
    for column in ("set", "measure", "two blurs of one field", "of", "two blurs of two fields", "of"):
        table.add_column(column, justify="left" if column in ("set", "measure") else "right")
    for name, some in seen.items():
        for key, words in MEASURES.items():
            cells = []
            for right, of in (ordered_within(some, key), ordered_between(some, key)):
                cells += [f"{right / of:.2%}", str(of)]
            table.add_row(name, words, *cells)
    return table


def _blurs(seen: dict[str, list[BlurredField]]) -> Table:
    limit = QualityLimits().min_sharpness
    table = Table(title=f"What blur costs, and what the gate refuses below {limit:g}")
    for column in (
        "set",
        "blur, µm",
        "least sharp",
        "median",
        "sharpest",
        "mean F1",
        "lost",
        "fields costly",
        "refused",
    ):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name, some in seen.items():
        sharp = {one.field: one.f1 or 0.0 for one in some if one.blur_um == 0}
        for blur_um in BLURS_UM:
            at = [one for one in some if one.blur_um == blur_um]
            sharpness = [one.sharpness for one in at]
            losses = np.asarray([sharp[one.field] - (one.f1 or 0.0) for one in at])
            table.add_row(
                name,
                f"{blur_um:.1f}",
                *(f"{value:.3f}" for value in (min(sharpness), np.median(sharpness), max(sharpness))),
                f"{np.mean([one.f1 or 0.0 for one in at]):.3f}",
                f"{100 * losses.mean():+.1f} points",
                f"{(losses > COSTLY).mean():.0%}",
                f"{np.mean([value < limit for value in sharpness]):.0%}",
                end_section=blur_um == BLURS_UM[-1],
            )
    return table


def _bands(seen: dict[str, list[BlurredField]]) -> Table:
    """One field's loss is mostly chance, a cell more or less; the mean of many of the same sharpness is not."""
    table = Table(title="Mean loss of F1, in points, by sharpness")
    table.add_column("sharpness")
    for name in seen:
        table.add_column(name, justify="right")
        table.add_column("fields", justify="right")
    for band in pairwise(BANDS):
        cells = []
        for some in seen.values():
            losses = losses_in(some, *band)
            cells += [f"{100 * np.mean(losses):+.1f}" if losses else "", str(len(losses))]
        table.add_row(f"{band[0]:.2f} to {band[1]:.2f}", *cells)
    return table


def _limits(seen: dict[str, list[BlurredField]]) -> Table:
    """Each of the gate's limits, and the limit on the Laplacian that refuses as many harmless fields."""
    table = Table(title=f"Limits: what is refused of fields that lost more than {100 * COSTLY:g} points, and of others")
    for column in ("set", "limit", "costly refused", "harmless refused", "Laplacian below", "costly", "harmless"):
        table.add_column(column, justify="left" if column == "set" else "right")
    together = [
        replace(one, field=one.field + 10_000 * number)  # numbers of fields begin anew in each set
        for number, some in enumerate(seen.values())
        for one in some
    ]
    for name, some in {**seen, "both": together}.items():
        choices = sorted(one.laplacian for one in some)
        others = [refusals(some, "laplacian", choice) for choice in [*choices, choices[-1] + 1]]
        for limit in LIMITS:
            ours = refusals(some, "sharpness", limit)
            fair = [one for one in others if one.harmless_refused <= ours.harmless_refused]
            plain = max(fair, key=lambda one: one.costly_refused)
            table.add_row(
                name,
                f"{limit:.2f}",
                f"{ours.costly_refused} of {ours.costly}",
                f"{ours.harmless_refused} of {ours.harmless}",
                f"{plain.limit:.2f}",
                str(plain.costly_refused),
                str(plain.harmless_refused),
                end_section=limit == LIMITS[-1],
            )
    return table


def _far(seen: dict[str, list[BlurredField]]) -> Table:
    """Far out of focus there is nothing but noise, which must not pass for edges."""
    limit = QualityLimits().min_sharpness
    table = Table(title=f"Out of focus before a sensor with a noise of {NOISE:g} of 255: sharpness, refused")
    table.add_column("set")
    for blur_um in FAR_UM:
        table.add_column(f"{blur_um:g} µm", justify="right")
    for name, some in seen.items():
        cells = []
        for blur_um in FAR_UM:
            at = [one.sharpness for one in some if one.blur_um == blur_um]
            cells.append(f"{np.median(at):.2f}, {np.mean([value < limit for value in at]):.0%}")
        table.add_row(name, *cells)
    return table
