"""Counts the fields of a folder of pictures and prints the differential: python count_pictures.py FOLDER UM_PER_PX."""

import sys
from collections import Counter
from pathlib import Path

from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.replay import ReplayCameraSettings
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.instrument import Instrument
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import CountedField
from leukoscope.system.assets import find_asset


def open_instrument(um_per_px: float) -> Instrument:
    """An instrument with the bundles that come with the software, for pictures whose light path is not known."""
    segmenter, classifier = (Bundle.read(find_asset("models", name)) for name in ("segmenter", "classifier"))
    engine = OnnxSettings()
    return Instrument(
        Calibration.of_scale(um_per_px),
        QualityGate(QualityLimits()),
        Segmenter(segmenter, engine.open(segmenter)),
        Classifier(classifier, engine.open(classifier)),
    )


def main() -> None:
    """Look at every picture; print the gate's reasons for each that it refuses."""
    folder, um_per_px = Path(sys.argv[1]), float(sys.argv[2])
    instrument = open_instrument(um_per_px)
    camera = ReplayCameraSettings(path=folder).open()
    classes: Counter[str] = Counter()
    while (frame := camera.capture()) is not None:
        field = instrument.look(frame).field
        if not isinstance(field, CountedField):
            print(f"{frame.label}: refused, {', '.join(flaw.value for flaw in field.quality.flaws)}")
            continue
        white = [cell.cell_class for cell in field.cells if cell.instance.kind is CellKind.WBC]
        classes.update(white)
        print(f"{frame.label}: {len(field.cells)} cells, {len(white)} of them white")
    for name, count in classes.most_common():
        print(f"{name}: {count}")


if __name__ == "__main__":
    main()
