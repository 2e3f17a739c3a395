import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from leukoscope.cameras.door import CameraDefaults
from leukoscope.delivery.mqtt.mqtt_settings import MqttSettings
from leukoscope.doctor.board import check_memory, check_power, check_temperature
from leukoscope.doctor.broker import check_broker
from leukoscope.doctor.light import check_camera, dead_pixels
from leukoscope.doctor.networks import check_engines, check_networks
from leukoscope.doctor.storage import check_storage, check_wear
from leukoscope.errors import BoardError, BrokerError, CameraError, OutboxError
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.messages.identity import Identity
from leukoscope.settings import BenchSettings, ModelSettings, StorageSettings
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source
from leukoscope.system.assets import find_asset
from leukoscope.system.mounts import kept_in_memory
from tests.brokers import HOST, Mosquitto, Subscriber, free_port, wait_until

DEVICE = Identity("ward-3", "scope-1", "0.1.0", "boot")


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def bench(folder: Path, **camera: object) -> BenchSettings:
    return BenchSettings.model_validate(
        {
            "site": "bench",
            "device": "test",
            "camera": {"driver": "simulated", **camera},
            "calibration": {"file": "simulated.toml"},
            "displays": [{"driver": "snapshot", "folder": str(folder)}],
            "controls": [{"driver": "scripted", "presses": []}],
            "storage": {"folder": str(folder)},
            "reporting": {"driver": "none"},
        }
    )


def test_a_board_that_is_too_hot_is_told(tmp_path: Path) -> None:
    assert check_temperature(tmp_path) == "this board has no sensor"
    put(tmp_path / "sys/class/thermal/thermal_zone0/temp", "51000\n")
    put(tmp_path / "sys/class/thermal/thermal_zone1/temp", "nonsense")
    assert check_temperature(tmp_path) == "51 °C"
    put(tmp_path / "sys/class/thermal/thermal_zone2/temp", "84500\n")
    with pytest.raises(BoardError, match="84 °C, expected 80 at most: give it air"):
        check_temperature(tmp_path)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("0", None),
        ("50005", "the supply voltage is too low, the processor is slowed down: use"),
        ("0x50000", "the supply voltage was too low, the processor was slowed down since the last boot: use"),
        ("80008", "it is too hot: use"),
    ],
)
def test_a_weak_supply_is_told(tmp_path: Path, flags: str, message: str | None) -> None:
    put(tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled", f"{flags}\n")
    if message is None:
        assert check_power(tmp_path) == "the supply was good since the last boot"
        return
    with pytest.raises(BoardError, match=message):
        check_power(tmp_path)


def test_a_board_without_such_files_is_not_blamed(tmp_path: Path) -> None:
    assert "does not tell" in check_power(tmp_path)
    assert "does not tell" in check_memory(tmp_path)


def test_a_full_memory_is_told(tmp_path: Path) -> None:
    put(tmp_path / "proc/meminfo", "MemTotal:        4000000 kB\nMemAvailable:     3000000 kB\n")
    assert check_memory(tmp_path) == "2929 of 3906 MiB free"
    put(tmp_path / "proc/meminfo", "MemTotal:        4000000 kB\nMemAvailable:      100000 kB\n")
    with pytest.raises(BoardError, match="97 of 3906 MiB free, expected 150"):
        check_memory(tmp_path)


def test_a_worn_card_and_a_damaged_file_system_are_told(tmp_path: Path) -> None:
    number = tmp_path.stat().st_dev
    partition = tmp_path / "sys/devices/mmcblk0/mmcblk0p2"
    partition.mkdir(parents=True)
    link = tmp_path / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
    link.parent.mkdir(parents=True)
    link.symlink_to(partition)
    assert "does not tell its wear" in check_wear(tmp_path, tmp_path)
    put(partition.parent / "device/life_time", "0x01 0x03\n")
    assert check_wear(tmp_path, tmp_path) == "no errors, at most 30 % of its life used"
    put(partition.parent / "device/life_time", "0x09 0x03\n")
    with pytest.raises(OutboxError, match="90 % of its life: replace it"):
        check_wear(tmp_path, tmp_path)
    put(tmp_path / "sys/fs/ext4/mmcblk0p2/errors_count", "7\n")
    with pytest.raises(OutboxError, match="met 7 errors: copy its data"):
        check_wear(tmp_path, tmp_path)


MOUNTS = """\
22 1 0:20 / / rw - overlay overlayroot rw,lowerdir=/media/root-ro
23 22 179:3 / /var/lib/leukoscope rw,noatime - ext4 /dev/mmcblk0p3 rw
24 22 0:21 / /run rw - tmpfs tmpfs rw
25 22 0:22 / /docker rw - overlay overlay rw,lowerdir=/a
26 22 0:23 / /with\\040blank rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "lost"),
    [
        ("/var/lib/leukoscope/state", False),
        ("/var/lib", True),
        ("/run/leukoscope", True),
        ("/docker/state", False),
        ("/with blank/state", True),
    ],
)
def test_a_folder_that_does_not_outlive_the_power_is_recognised(tmp_path: Path, folder: str, lost: bool) -> None:
    put(tmp_path / "mountinfo", MOUNTS)
    assert kept_in_memory(Path(folder), tmp_path / "mountinfo") is lost
    assert kept_in_memory(Path(folder), tmp_path / "none") is False


def test_results_that_would_be_lost_at_power_off_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.doctor.storage.kept_in_memory", lambda _: True)
    with pytest.raises(OutboxError, match="lost at power-off: mount the data partition"):
        check_storage(StorageSettings(folder=tmp_path))


def test_single_pixels_that_stand_out_in_every_frame_are_dead() -> None:
    noise = np.random.default_rng(1)
    pictures = [np.clip(noise.normal(180, 6, (60, 80, 3)), 0, 255).astype(np.uint8) for _ in range(3)]
    assert dead_pixels(pictures) == 0
    for picture in pictures:
        picture[10, 10, 0] = 255  # hot in one colour
        picture[0, 79] = 0  # dead, in a corner
        picture[30:33, 40:43] = 20  # a platelet is larger than a pixel
    pictures[1][50, 50] = 0  # once only: noise
    assert dead_pixels(pictures) == 2


def test_a_camera_in_good_light_is_good(tmp_path: Path) -> None:
    assert "0 dead pixels" in check_camera(bench(tmp_path), tmp_path)


def test_a_lamp_that_is_off_is_told(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="is the lamp on"):
        check_camera(bench(tmp_path, slide="dark"), tmp_path)


class Overexposed(CameraDefaults):
    source = Source.LIVE

    def capture(self) -> Frame:
        return Frame(np.full((480, 640, 3), 255, np.uint8), 1, datetime.now(UTC), "simulated")

    def close(self) -> None:
        pass


def test_a_field_that_is_clipped_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bench(tmp_path)
    monkeypatch.setattr(type(settings.camera), "open", lambda self: Overexposed())
    with pytest.raises(CameraError, match="100% of it clipped: turn the lamp down"):
        check_camera(settings, tmp_path)


def test_networks_that_became_much_slower_than_they_were_are_told(tmp_path: Path) -> None:
    models = ModelSettings()
    findings = list(check_networks(models, None, tmp_path, remember=True))
    assert [one.good for one in findings] == [True, True, True]
    speeds = json.loads((tmp_path / "speed.json").read_text())
    (tmp_path / "speed.json").write_text(json.dumps({key: ms / 1000 for key, ms in speeds.items()}))
    for finding in check_networks(models, None, tmp_path):
        assert not finding.good
        assert "when it was installed" in finding.text
    (tmp_path / "speed.json").write_text("[]")
    assert all(one.good for one in check_networks(models, None, tmp_path))


@pytest.mark.parametrize(
    ("board", "ms", "good", "message"),
    [
        ("Raspberry Pi 5", 1000.0, True, "expected on this board 1000.0 ms"),
        ("Raspberry Pi 5", 0.001, False, "expected on this board 0.0 ms: see temperature and power"),
        ("Raspberry Pi 4", 0.001, True, "ms a run"),
    ],
)
def test_a_board_is_held_to_what_the_bundle_expects_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str, ms: float, good: bool, message: str
) -> None:
    monkeypatch.setattr("leukoscope.doctor.networks.board_name", lambda: "Raspberry Pi 5 Model B Rev 1.0")
    shutil.copytree(find_asset("models", "classifier"), tmp_path / "classifier")
    expected = "".join(
        f'\n[[expected]]\nboard = "{board}"\nengine = "{engine}"\nthreads = {threads}\nms_per_run = {one}\n'
        for engine, threads, one in (("onnx", 2, ms), ("onnx", 4, 0.001), ("litert", 2, 0.001))
    )
    with (tmp_path / "classifier" / "manifest.toml").open("a") as manifest:
        manifest.write(expected)
    _, finding = check_networks(ModelSettings(engine=OnnxSettings(threads=2)), tmp_path, None)
    assert finding.good is good
    assert message in finding.text
    assert ("expected" in finding.text) is (board == "Raspberry Pi 5")


def test_both_engines_are_compared() -> None:
    text = check_engines(ModelSettings(), Path())
    assert "onnx" in text
    assert "litert" in text
    assert "faster here" in text or "good choice" in text


def test_the_whole_way_to_the_broker_is_gone_without_a_trace(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "broker").start()
    try:
        with Subscriber(broker.port) as subscriber:
            settings = MqttSettings(host=HOST, port=broker.port)
            message = check_broker(settings, DEVICE)
            assert message.endswith("MQTT 5, no TLS, no login, may publish")
            assert wait_until(lambda: subscriber.payloads("health"))
            # Not retained: clients that come later see the device's own status.
            assert not any(retained for _, _, retained in subscriber.messages)
        assert "only MQTT 5 tells" in check_broker(settings.model_copy(update={"protocol": "3.1.1"}), DEVICE)
    finally:
        broker.kill()


def test_a_broker_that_forbids_to_publish_is_told(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic read #\n")
    broker = Mosquitto(tmp_path / "broker", f"acl_file {rules}").start()
    try:
        with pytest.raises(BrokerError, match="refuses what we publish under leukoscope/v1/ward-3/scope-1/health"):
            check_broker(MqttSettings(host=HOST, port=broker.port), DEVICE)
    finally:
        broker.kill()


def test_a_name_nobody_knows_and_a_port_nobody_listens_at_are_told() -> None:
    with pytest.raises(BrokerError, match=r"no host is called broker\.invalid"):
        check_broker(MqttSettings(host="broker.invalid"), DEVICE)
    with pytest.raises(BrokerError, match="nothing listens"):
        check_broker(MqttSettings(host=HOST, port=free_port()), DEVICE)
