import base64
import contextlib
import logging
from pathlib import Path

import pytest

from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.installing import install, refuse_other_answers
from leukoscope.bundles.startup import MOST_FAILED_STARTS, Startup, find_bundle
from leukoscope.errors import BundleError, CameraError, SettingsError
from leukoscope.inference.bundle import Bundle
from tests.bundles_installed.workshop import NOW, RULES, archive

HERE = RULES.software


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    """Two versions of a classifier, the first confirmed, the second just installed."""
    store = BundleStore(tmp_path / "state" / "bundles")
    install(archive(tmp_path, "9.0.0"), "a", store, RULES, NOW)
    start(store).confirm()
    install(archive(tmp_path, "9.1.0"), "a", store, RULES, NOW)
    return store


def start(store: BundleStore, software: str = HERE, expected: str | None = None) -> Startup:
    """Everything a start does with a bundle; it is not confirmed yet."""
    startup = Startup(None, software, store)
    with startup.opening("classifier") as found:
        bundle = Bundle.read(found.folder)
        if found.on_trial:
            refuse_other_answers(bundle, RULES.engine.open(bundle))
    if expected is not None:
        assert bundle.manifest.version == expected
    return startup


def damage(store: BundleStore, version: str) -> None:
    (network,) = store.folder.glob(f"classifier/{version}-*/network.onnx")
    network.write_bytes(b"rotten")


def fail_to_start(store: BundleStore, times: int = MOST_FAILED_STARTS) -> None:
    for _ in range(times):
        with pytest.raises(BundleError):
            start(store)


def test_three_starts_that_fail_bring_the_bundle_before_back(
    store: BundleStore, caplog: pytest.LogCaptureFixture
) -> None:
    damage(store, "9.1.0")
    fail_to_start(store)
    with caplog.at_level(logging.ERROR):
        startup = start(store, expected="9.0.0")
    assert startup.warnings == ["classifier 9.1.0 failed 3 starts, 9.0.0 is back in force"]
    assert startup.warnings[0] in caplog.text
    assert list(store.state("classifier").failed.values()) == ["failed 3 starts"]


def test_a_bundle_that_was_confirmed_is_rolled_back_as_well_when_it_rots(store: BundleStore) -> None:
    start(store, expected="9.1.0").confirm()
    damage(store, "9.1.0")
    fail_to_start(store)
    start(store, expected="9.0.0")


def test_a_bundle_whose_key_was_taken_out_of_the_settings_does_not_start_and_the_way_back_is_gone(
    store: BundleStore,
) -> None:
    start(store, expected="9.1.0").confirm()
    start(BundleStore(store.folder, RULES.keys), expected="9.1.0").confirm()
    for revoked in (BundleStore(store.folder, ()), BundleStore(store.folder, (base64.b64encode(bytes(32)).decode(),))):
        with pytest.raises(BundleError, match="in the settings holds no more"):
            start(revoked)
        with pytest.raises(BundleError, match="put the key back"):
            find_bundle("classifier", None, revoked, HERE)
    revoked = BundleStore(store.folder, ())
    for _ in range(2 * MOST_FAILED_STARTS):
        with contextlib.suppress(BundleError):
            start(revoked)
    with Startup(None, HERE, revoked).opening("classifier") as found:
        assert not found.installed


def test_when_every_installed_bundle_fails_the_one_that_came_with_the_software_is_back(store: BundleStore) -> None:
    for version in ("9.1.0", "9.0.0"):
        damage(store, version)
        fail_to_start(store)
    startup = Startup(None, HERE, store)
    with startup.opening("classifier") as found:
        assert not found.installed
    assert "the one that came with the software is back in force" in startup.warnings[0]


def test_starts_that_crash_count_though_nobody_could_write_down_why(store: BundleStore) -> None:
    for _ in range(MOST_FAILED_STARTS):
        start(store, expected="9.1.0")  # opened, then the process is gone before it was ready
    start(store, expected="9.0.0")


def test_two_failures_and_a_good_start_begin_the_count_anew(store: BundleStore) -> None:
    for _ in range(3):
        for _ in range(MOST_FAILED_STARTS - 1):
            start(store, expected="9.1.0")
        start(store, expected="9.1.0").confirm()
        assert store.state("classifier").starts == 0


def test_a_camera_that_is_unplugged_is_no_fault_of_the_bundle(store: BundleStore) -> None:
    for _ in range(2 * MOST_FAILED_STARTS):
        start(store, expected="9.1.0").forgive()
    start(store, expected="9.1.0")


def test_a_bundle_is_not_blamed_for_what_the_other_does(store: BundleStore, tmp_path: Path) -> None:
    install(archive(tmp_path, name="other"), "a", store, RULES, NOW)
    damage(store, "9.1.0")
    for _ in range(2 * MOST_FAILED_STARTS + 1):
        startup = Startup(None, HERE, store)
        with startup.opening("other"):
            pass
        try:
            with startup.opening("classifier") as found:
                Bundle.read(found.folder)
        except BundleError:
            startup.forgive()
        else:
            startup.confirm()
    assert store.state("other").in_force is not None
    current = store.state("classifier").in_force
    assert current is not None and current.version == "9.0.0"


def test_crashes_of_a_confirmed_bundle_do_not_count_until_the_software_changes(store: BundleStore) -> None:
    start(store).confirm()
    for _ in range(2 * MOST_FAILED_STARTS):
        start(store, expected="9.1.0")
    assert store.state("classifier").starts == 0
    for _ in range(MOST_FAILED_STARTS):
        start(store, "0.1.1", expected="9.1.0")
    start(store, "0.1.1", expected="9.0.0")


def test_any_failure_while_a_bundle_is_opened_counts(store: BundleStore) -> None:
    start(store).confirm()
    for _ in range(MOST_FAILED_STARTS):
        with pytest.raises(CameraError), Startup(None, HERE, store).opening("classifier"):
            raise CameraError("whatever it was", "try again")
    start(store, expected="9.0.0")


def test_a_bundle_with_nothing_to_go_back_to_stays_and_says_what_is_wrong(tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "bundles")
    install(archive(tmp_path, name="ours"), "a", store, RULES, NOW)
    (network,) = store.folder.glob("ours/*/network.onnx")
    network.unlink()
    for _ in range(2 * MOST_FAILED_STARTS):
        with (
            pytest.raises(BundleError, match="install the bundle again"),
            Startup(None, HERE, store).opening("ours"),
        ):
            pass


def test_a_full_disk_keeps_nothing_from_starting(store: BundleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(store, "9.1.0")
    fail_to_start(store)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leukoscope.system.durable_files.os.fsync", full)
    startup = start(store, expected="9.0.0")
    assert "cannot be counted" in startup.warnings[-1]


def test_without_a_bench_nothing_is_counted_and_nothing_written(tmp_path: Path) -> None:
    startup = Startup(None, HERE)
    with startup.opening("classifier") as found:
        assert not found.installed
    startup.confirm()
    with pytest.raises(SettingsError), startup.opening("no such bundle"):
        pass


def test_a_device_without_installed_bundles_writes_nothing_at_its_start(tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "bundles")
    startup = Startup(None, HERE, store)
    with startup.opening("classifier"):
        pass
    startup.confirm()
    assert not store.folder.exists()


def test_a_confirmed_bundle_costs_no_writing_at_all(store: BundleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    start(store).confirm()
    monkeypatch.setattr("leukoscope.bundles.bundle_store.write_whole", None)
    start(store, expected="9.1.0").confirm()
