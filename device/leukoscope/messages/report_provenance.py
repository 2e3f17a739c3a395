"""The origin of a report, as its message says it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from leukoscope.specimen.sample import BundleIdentity, Provenance, SizeReference, Source


def provenance_part(provenance: Provenance) -> dict[str, Any]:
    """The part `provenance`."""
    return {
        "site": provenance.site,
        "device": provenance.device,
        "software_version": provenance.software_version,
        "segmenter": _bundle(provenance.segmenter),
        "classifier": _bundle(provenance.classifier),
        "calibration_id": provenance.calibration_id,
        "calibration_measured": provenance.calibration_measured,
        "um_per_px": provenance.um_per_px,
        "source": provenance.source.value,
        "clock_synchronised": provenance.clock_synchronised,
        "boot_id": provenance.boot_id,
        **({} if provenance.camera is None else {"camera": provenance.camera}),
        **({} if provenance.dependencies is None else {"dependencies": provenance.dependencies}),
        **({} if provenance.size_reference is None else {"size_reference": asdict(provenance.size_reference)}),
    }


def read_provenance(wire: Mapping[str, Any]) -> Provenance:
    """The origin that a part `provenance` holds."""
    changed = {
        "segmenter": BundleIdentity(**wire["segmenter"]),
        "classifier": BundleIdentity(**wire["classifier"]),
        "um_per_px": float(wire["um_per_px"]),
        "source": Source(wire["source"]),
        "size_reference": _read_size_reference(wire.get("size_reference")),
    }
    return Provenance(**{**wire, **changed})


def _read_size_reference(wire: Mapping[str, Any] | None) -> SizeReference | None:
    return None if wire is None else SizeReference(wire["id"], float(wire["enlarged"]), int(wire["specimens"]))


def _bundle(bundle: BundleIdentity) -> dict[str, str]:
    return {
        "name": bundle.name,
        "version": bundle.version,
        "sha256": bundle.sha256,
        "engine": bundle.engine,
    }
