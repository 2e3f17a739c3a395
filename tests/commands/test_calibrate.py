import json
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leukoscope.calibrating.focusing import LEAST_LIMIT
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.calibration_record import read_record
from leukoscope.optics.calibration_writing import put_in_force
from leukoscope.settings import BenchSettings
from tests.commands.command_line import Outcome, leukoscope

BENCH = """
site = "clinic"
device = "scope-1"
calibration = {{ {calibration} }}
displays = [{{ driver = "snapshot", folder = "{folder}/screens" }}]
controls = [{{ driver = "scripted", presses = [{presses}] }}]
storage = {{ folder = "{folder}/state" }}
reporting = {{ driver = "none" }}
[camera]
driver = "simulated"
slide = "{slide}"
{camera}
[camera.microscope]
vignetting = 0.3
colour_shading = 0.1
{microscope}
"""
OWN = "clinic-scope-1.toml"
SMALL = "width = 320\nheight = 240\num_per_px = 0.254\nblack_level = 6.0"


def bench(
    folder: Path,
    slide: str,
    *,
    calibration: str = 'file = "simulated.toml"',
    microscope: str = "",
    camera: str = "",
    presses: int = 0,
) -> Path:
    """A settings file of the one bench in the folder, with this slide under the objective."""
    press = ", ".join(['{ action = "toggle", after_polls = 1 }'] * presses)
    path = folder / f"{slide}.toml"
    path.write_text(
        BENCH.format(
            folder=folder, slide=slide, calibration=calibration, microscope=microscope, camera=camera, presses=press
        )
    )
    return path


def calibrate(part: str, path: Path, *arguments: object) -> Outcome:
    fast = () if part == "focus" else ("--every", "0", "--frames", "5")
    return leukoscope("calibrate", part, "--bench", path, *fast, *arguments)


def own(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / OWN).read_text("utf-8"))


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose bench went through all five procedures."""
    folder = tmp_path_factory.mktemp("bench")
    use: dict[str, Any] = {"calibration": f'file = "{OWN}"', "microscope": SMALL}
    first = calibrate(
        "dark", bench(folder, "dark", calibration="um_per_px = 0.25", microscope=SMALL), "--by", "A. Technician"
    )
    assert first.code == 0, first.err
    assert f'calibration = {{ file = "{OWN}" }}' in first.out
    for part, slide in (("flat", "blank"), ("white", "blank"), ("scale", "ruling")):
        outcome = calibrate(part, bench(folder, slide, **use), "--by", "A. Technician")
        assert outcome.code == 0, outcome.err
        assert "Next:" in outcome.out
        assert "It is used once" not in outcome.out
    outcome = calibrate("focus", bench(folder, "smear", **use), "--frames", "4")
    assert outcome.code == 0, outcome.err
    return folder


def test_five_procedures_make_a_measured_calibration(calibrated: Path) -> None:
    record = own(calibrated)
    assert record["origin"] == "measured"
    assert record["um_per_px"] == pytest.approx(0.254, rel=0.002)
    assert record["scale"]["error_um_per_px"] / record["um_per_px"] < 0.002
    assert record["flat"]["unevenness_before"] > 0.25
    assert record["flat"]["unevenness_after"] <= 0.01
    assert record["white"]["off_white"] <= 2.0
    assert 0.2 < record["focus"]["sharpness"] < 0.8
    assert LEAST_LIMIT <= record["focus"]["limit"] < record["focus"]["sharpness"]
    for part in ("dark", "flat", "white", "scale"):
        assert record[part]["by"] == "A. Technician"
        assert record[part]["valid_until"] > record[part]["at"]
        with Image.open(calibrated / record[part]["picture"]["path"]) as picture:
            assert picture.size == (320, 240)


def test_a_file_that_came_with_the_software_is_not_touched(calibrated: Path) -> None:
    assert not (calibrated / "simulated.toml").exists()
    assert len(list((calibrated / "clinic-scope-1.files").glob("*.toml"))) == 4


def test_red_cells_have_their_size_at_the_measured_scale(calibrated: Path) -> None:
    before = own(calibrated)
    outcome = calibrate("scale", calibrated / "smear.toml", "--check", "--frames", "3")
    assert outcome.code == 0, outcome.err
    assert "whole red cells have a median diameter of" in outcome.out
    assert "warning" not in outcome.err
    assert own(calibrated) == before


def test_a_scale_that_red_cells_contradict_is_warned_of(tmp_path: Path) -> None:
    wrong = bench(tmp_path, "smear", calibration="um_per_px = 0.15")
    outcome = calibrate("scale", wrong, "--check", "--frames", "2")
    assert outcome.code == 0, outcome.err
    assert "scale and red cells disagree by" in outcome.err


def test_doctor_tells_who_measured_and_finds_an_altered_picture(calibrated: Path) -> None:
    def findings() -> dict[str, Any]:
        lines = leukoscope("doctor", "--bench", calibrated / "smear.toml", "--json").out.splitlines()
        return {one["part"]: one for one in map(json.loads, lines)}

    good = findings()
    assert good["calibration"]["good"]
    assert "scale by A. Technician on" in good["calibration"]["text"]
    assert good["camera"]["good"]
    picture = calibrated / own(calibrated)["scale"]["picture"]["path"]
    content = picture.read_bytes()
    try:
        picture.write_bytes(content[:-1])
        assert "sha256 differs" in findings()["calibration"]["text"]
    finally:
        picture.write_bytes(content)


def test_doctor_finds_a_calibration_of_another_camera_size(calibrated: Path) -> None:
    text = (calibrated / "smear.toml").read_text().replace("width = 320", "width = 400")
    other = calibrated / "other.toml"
    other.write_text(text)
    outcome = leukoscope("doctor", "--bench", other, "--json")
    (bad,) = (json.loads(line) for line in outcome.out.splitlines() if not json.loads(line)["good"])
    assert "is for pictures of 320x240 pixels, the camera gave 400x240" in bad["text"]


@pytest.mark.parametrize(
    ("part", "slide", "message"),
    [
        ("dark", "smear", "switch the lamp off"),
        ("flat", "smear", "move to an empty place"),
        ("flat", "dark", "turn the lamp up"),
        ("white", "smear", "move to an empty place"),
        ("scale", "smear", "parallel lines of a stage micrometer"),
        ("scale", "blank", "expected"),
        ("focus", "blank", "put a smear under the objective"),
    ],
)
def test_a_bad_attempt_is_refused_and_the_old_one_stays_in_force(
    calibrated: Path, part: str, slide: str, message: str
) -> None:
    before = (calibrated / OWN).read_bytes()
    kept = sorted((calibrated / "clinic-scope-1.files").iterdir())
    use: dict[str, Any] = {"calibration": f'file = "{OWN}"', "microscope": SMALL}
    watching = ("--frames", "4") if part == "focus" else ()
    outcome = calibrate(part, bench(calibrated, slide, **use), *watching)
    assert outcome.code == 2
    assert message in outcome.err
    assert f"{part} refused, calibration in force: {read_record(calibrated / OWN).id}" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert (calibrated / OWN).read_bytes() == before
    assert sorted((calibrated / "clinic-scope-1.files").iterdir()) == kept


def test_a_flat_field_can_be_measured_on_stored_pictures(tmp_path: Path) -> None:
    camera_settings = bench(tmp_path, "blank")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    camera = BenchSettings.read(camera_settings).camera.open()
    for number in range(5):
        frame = camera.capture()
        assert frame is not None
        Image.fromarray(frame.pixels).save(pictures / f"blank-{number}.png")
    outcome = calibrate("flat", camera_settings, "--pictures", pictures)
    assert outcome.code == 0, outcome.err
    assert own(tmp_path)["flat"]["pictures"] == 5
    assert not (tmp_path / "screens").exists()
    too_few = calibrate("flat", camera_settings, "--pictures", pictures / "blank-1.png")
    assert too_few.code == 2
    assert "at least 5 blank fields, found 1" in too_few.err


def test_a_nominal_gain_goes_along_when_only_the_scale_is_measured(tmp_path: Path) -> None:
    assert calibrate("scale", bench(tmp_path, "ruling"), "--frames", "2").code == 0
    calibration = Calibration.read(tmp_path / OWN)
    assert calibration.measured
    assert calibration.flat_field is not None


def test_the_wrong_spacing_is_noticed(tmp_path: Path) -> None:
    outcome = calibrate("scale", bench(tmp_path, "ruling"), "--spacing-um", "20", "--frames", "1")
    assert outcome.code == 2
    assert "give the ruling's true --spacing-um" in outcome.err
    assert not (tmp_path / OWN).exists()


def test_a_camera_of_another_size_begins_a_new_file_with_its_scale(tmp_path: Path) -> None:
    small = "width = 480\nheight = 360\num_per_px = 0.16"
    foreign = calibrate("scale", bench(tmp_path, "ruling", microscope=small), "--frames", "1")
    assert foreign.code == 2
    assert "simulated is for pictures of 640x480 pixels, these have 480x360" in foreign.err
    new: dict[str, Any] = {"calibration": 'file = "small.toml"', "microscope": small}
    first = calibrate("flat", bench(tmp_path, "blank", **new))
    assert first.code == 2
    assert "begin with `leukoscope calibrate scale`" in first.err
    named = ("--optics", "small camera, 63x", "--objective", "63x/1.4 oil")
    assert calibrate("scale", bench(tmp_path, "ruling", **new), "--frames", "1", *named).code == 0
    assert read_record(tmp_path / "small.toml").objective == "63x/1.4 oil"
    other = calibrate("flat", bench(tmp_path, "blank", **new), "--objective", "100x")
    assert other.code == 2
    assert "is for objective 63x/1.4 oil, not 100x" in other.err
    assert calibrate("flat", bench(tmp_path, "blank", **new)).code == 0


def test_each_picture_can_wait_for_a_press_and_the_screens_lead(tmp_path: Path) -> None:
    outcome = calibrate("flat", bench(tmp_path, "blank", presses=5), "--by-button", "--frames", "5")
    assert outcome.code == 0, outcome.err
    # Five times "move on", and the result.
    assert len(list((tmp_path / "screens").glob("*.png"))) == 6


def test_a_white_balance_takes_one_press(tmp_path: Path) -> None:
    assert calibrate("flat", bench(tmp_path, "blank")).code == 0
    outcome = calibrate("white", bench(tmp_path, "blank", presses=1), "--by-button")
    assert outcome.code == 0, outcome.err
    assert own(tmp_path)["white"]["pictures"] == 5
    assert own(tmp_path)["white"]["off_white"] <= 2.0


def test_a_refusal_is_shown_on_the_display_too(tmp_path: Path) -> None:
    assert calibrate("flat", bench(tmp_path, "smear"), "--frames", "5").code == 2
    assert len(list((tmp_path / "screens").glob("*.png"))) == 6


def test_an_expired_calibration_is_named_and_not_replaced(tmp_path: Path) -> None:
    assert calibrate("scale", bench(tmp_path, "ruling"), "--frames", "1").code == 0
    record = read_record(tmp_path / OWN)
    assert record.scale is not None
    over = record.scale.model_copy(update={"valid_until": record.scale.at - timedelta(days=1)})
    put_in_force(tmp_path / OWN, record.model_copy(update={"scale": over}), {})
    use = f'file = "{OWN}"'
    outcome = leukoscope("run", "--bench", bench(tmp_path, "smear", calibration=use), "--samples", "1")
    assert outcome.code == 2
    assert "its part scale, measured by" in outcome.err
    assert "run `leukoscope calibrate scale`" in outcome.err
    # What is over can be measured again.
    assert calibrate("scale", bench(tmp_path, "ruling", calibration=use), "--frames", "1").code == 0
    assert Calibration.read(tmp_path / OWN).measured


def test_a_foreign_camera_is_refused_at_its_first_frame_though_the_stage_never_rests(
    calibrated: Path, tmp_path: Path
) -> None:
    restless = bench(tmp_path, "smear", calibration=f'file = "{calibrated / OWN}"', presses=1)
    outcome = leukoscope("run", "--bench", restless, "--samples", "1")
    assert outcome.code == 2
    assert "is for pictures of 320x240 pixels, the camera gave 640x480" in outcome.err


def test_a_bench_counts_with_what_was_measured(calibrated: Path) -> None:
    count = bench(
        calibrated,
        "smear",
        calibration=f'file = "{OWN}"',
        microscope=SMALL,
        camera="dwell_frames = 2\nsmear = { white_per_1000_rbc = 40.0, seed = 3 }",
        presses=1,
    )
    count.write_text("counting = { white_cells = 2 }\n" + count.read_text())
    outcome = leukoscope("run", "--bench", count, "--samples", "1")
    assert outcome.code == 0, outcome.err
    (report,) = (calibrated / "state" / "reports").glob("*.json")
    assert own(calibrated)["id"] in report.read_text()
    assert '"uncalibrated"' not in report.read_text()
