"""Reports to encode, store and send."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from leukoscope.messages.identity import Identity
from leukoscope.specimen.lifecycle import Change, Life, Status, Step
from leukoscope.specimen.sample import (
    Basis,
    BundleIdentity,
    Certainty,
    ClassCount,
    CorrectedDifferential,
    CorrectedShare,
    Finding,
    Histogram,
    Provenance,
    RedCells,
    RulesIdentity,
    SampleReport,
    Source,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)
IDENTITY = Identity(site="ward-3", device="scope-1", software_version="0.1.0", boot_id="boot-1")
PROVENANCE = Provenance(
    site="ward-3",
    device="scope-1",
    software_version="0.1.0",
    segmenter=BundleIdentity("smear-unet", "1.0.0", "a" * 64, "onnx"),
    classifier=BundleIdentity("leukocyte", "1.0.0", "b" * 64, "litert"),
    calibration_id="bench-2026-01",
    calibration_measured=True,
    um_per_px=0.1,
    source=Source.SIMULATED,
    clock_synchronised=None,
    boot_id="boot-1",
)


def report(number: int = 1, **changes: Any) -> SampleReport:
    """A plausible report; its id is made from `number`."""
    fields: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "version": 1,
        "sample_id": f"S-{number}",
        "started_at": NOW - timedelta(minutes=4),
        "finished_at": NOW,
        "fields_counted": 40,
        "fields_rejected": {"out_of_focus": 2, "crowded": 1},
        "fields_rejected_total": 2,
        "patches": 1,
        "white_cells": 100,
        "differential": (
            ClassCount("neutrophil", 60, 0.6, 0.497, 0.697, 12),
            ClassCount("lymphocyte", 40, 0.4, 0.303, 0.503, 12),
            ClassCount("basophil", 0, 0.0, 0.0, 0.036, 0),
        ),
        "differential_corrected": CorrectedDifferential(
            "as a test would",
            0.0625,
            (CorrectedShare("neutrophil", 0.58, 0.47, 0.69, 812),),
            (CorrectedShare("lymphoid", 0.41, 0.3, 0.52, 77),),
        ),
        "not_corrected_because": None,
        "beside": {"smudge": 3, "unsure": 1},
        "red_cells": RedCells(9000, 7.2, 0.11, 0.05, diameters_um=Histogram(6.0, 0.5, (900, 4000, 3100, 500))),
        "platelets": 700,
        "wbc_per_1000_rbc": 11.1,
        "area_um2": 4.0e5,
        "border_rule": "cells on the top and left border are counted",
        "findings": (
            Finding("few_cells", "Fewer than 200 white cells were counted."),
            Finding("eosinophilia", "more than 6 %", Certainty.LIKELY, Basis.CORRECTED, {"value": 0.0725}),
        ),
        "rules": RulesIdentity("adult-blood", "1.0.0", "c" * 64),
        "finished_because": "enough_cells",
        "resumed": 1,
        "provenance": PROVENANCE,
    }
    return SampleReport(**(fields | changes))


def before_sizes(number: int) -> SampleReport:
    """The same from a device that reported neither patches, nor power cuts, nor each red cell's size."""
    message = report(number, patches=None, resumed=0)
    return replace(message, red_cells=replace(message.red_cells, diameters_um=None))


_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
_counts = st.integers(0, 10**9)
_shares = st.floats(0, 1)
_amounts = st.floats(0, 1e12)
# Fixed offsets: in a zone with summer time some wall clock times happen twice, or never, and equal nothing.
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=_zones)
_digests = st.text("0123456789abcdef", min_size=64, max_size=64)
_bundles = st.builds(BundleIdentity, _names, _names, _digests, _names)
_corrected_lines = st.lists(st.builds(CorrectedShare, _names, _shares, _shares, _shares, _counts), max_size=3).map(
    tuple
)
_corrected = st.builds(CorrectedDifferential, _names, _shares, _corrected_lines, _corrected_lines)
_findings = st.builds(
    Finding,
    _names,
    _names,
    st.sampled_from(Certainty),
    st.sampled_from(Basis),
    st.dictionaries(_names, st.floats(-1e12, 1e12), max_size=3),
)

_changes = st.builds(Change, st.integers(1, 999_999).map("cell/{}".format) | st.just("sample_id"), _names, _names)
_steps = st.builds(
    Step,
    st.integers(2, 1000),
    st.sampled_from(Status),
    _names,
    _moments,
    _names,
    st.lists(_changes, max_size=3).map(tuple),
)
_histograms = st.builds(
    Histogram, st.floats(-100, 100), st.floats(0.01, 10), st.lists(_counts, min_size=1, max_size=5).map(tuple)
)

reports = st.builds(
    SampleReport,
    id=st.uuids().map(str),
    version=st.integers(1, 10**6),
    sample_id=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100),
    started_at=_moments,
    finished_at=_moments,
    fields_counted=_counts,
    fields_rejected=st.dictionaries(_names, _counts, max_size=4),
    fields_rejected_total=_counts,
    patches=st.none() | _counts,
    white_cells=_counts,
    differential=st.lists(st.builds(ClassCount, _names, _counts, _shares, _shares, _shares, _counts), max_size=4).map(
        tuple
    ),
    differential_corrected=st.none() | _corrected,
    not_corrected_because=st.none() | _names,
    beside=st.dictionaries(_names, _counts, max_size=4),
    red_cells=st.builds(
        RedCells,
        _counts,
        st.none() | _amounts,
        st.none() | _amounts,
        st.none() | _shares,
        st.none() | _counts,
        st.none() | _histograms,
    ),
    platelets=_counts,
    wbc_per_1000_rbc=st.none() | _amounts,
    area_um2=_amounts,
    border_rule=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
    findings=st.lists(_findings, max_size=3).map(tuple),
    rules=st.builds(RulesIdentity, _names, _names, _digests, st.sampled_from(["blood", "marrow"])),
    resumed=_counts,
    finished_because=st.sampled_from(["enough_cells", "technician", "end_of_pictures", "fault"]),
    provenance=st.builds(
        Provenance,
        site=_names,
        device=_names,
        software_version=_names,
        segmenter=_bundles,
        classifier=_bundles,
        calibration_id=_names,
        calibration_measured=st.booleans(),
        um_per_px=st.floats(1e-3, 10),
        source=st.sampled_from(Source),
        clock_synchronised=st.none() | st.booleans(),
        boot_id=_names,
    ),
    life=st.builds(Life, st.lists(_steps, max_size=3).map(tuple), _counts),
)
"""Any report the schema can carry."""
