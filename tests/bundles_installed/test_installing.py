import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from leukoscope.bundles.archive import Archive, read_archive, write_archive
from leukoscope.bundles.bundle_store import KEPT, BundleStore
from leukoscope.bundles.contents import SoftwareRange
from leukoscope.bundles.installing import install, roll_back, use
from leukoscope.bundles.signing import make_key, sign
from leukoscope.bundles.startup import find_bundle
from leukoscope.errors import BundleError, EngineUnavailable
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from tests.bundles_installed import workshop
from tests.bundles_installed.workshop import KEY, NOW, RULES, archive, archive_of, rules

HERE = RULES.software


@pytest.fixture
def store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "state" / "bundles")


def version_in_force(store: BundleStore, name: str = "classifier") -> str:
    return Bundle.read(find_bundle(name, None, store, HERE).folder).manifest.version


def put(store: BundleStore, raw: bytes, **changes: Any) -> str:
    return install(raw, "a", store, rules(**changes), NOW).golden


def resigned(raw: bytes, key: bytes = KEY, **changes: Any) -> bytes:
    """The archive with other words in its contents, signed anew."""
    packed = read_archive(raw, "a")
    contents = json.dumps(json.loads(packed.contents) | changes).encode()
    return write_archive(Archive(contents, sign(key, contents)[0], packed.files))


def test_an_installed_bundle_is_found_before_the_one_that_came_with_the_software(
    store: BundleStore, tmp_path: Path
) -> None:
    assert version_in_force(store) != "9.0.0"
    assert put(store, archive(tmp_path)).startswith("2 of 2 golden decisions, onnxruntime")
    assert version_in_force(store) == "9.0.0"
    beside = workshop.bundle(tmp_path / "bench" / "classifier", version="1.0.0").folder
    assert find_bundle("classifier", tmp_path / "bench", store, HERE).folder == beside


def test_a_bundle_of_a_new_name_can_be_installed(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive(tmp_path, name="our-clinic"))
    assert version_in_force(store, "our-clinic") == "9.0.0"


def test_a_newer_one_takes_its_place_and_the_one_before_stays(store: BundleStore, tmp_path: Path) -> None:
    for version in ("9.0.0", "9.1.0"):
        put(store, archive(tmp_path, version))
    assert version_in_force(store) == "9.1.0"
    assert roll_back(store, "classifier") == "9.0.0"
    assert version_in_force(store) == "9.0.0"
    assert use(store, "classifier", "9.1.0", RULES).startswith("2 of 2")
    assert version_in_force(store) == "9.1.0"
    use(store, "classifier", "shipped", RULES)
    assert version_in_force(store) not in ("9.0.0", "9.1.0")
    with pytest.raises(BundleError, match="nothing to go back to"):
        roll_back(store, "classifier")
    with pytest.raises(BundleError, match=r"no classifier 9\.9\.9 is installed \(installed: 9\.0\.0, 9\.1\.0\)"):
        use(store, "classifier", "9.9.9", RULES)


def test_old_versions_leave_the_disk_but_never_the_one_before(store: BundleStore, tmp_path: Path) -> None:
    for number in range(KEPT + 2):
        put(store, archive(tmp_path, f"9.{number}.0"))
    folders = [path.name for path in (store.folder / "classifier").iterdir() if path.is_dir()]
    assert len(folders) == KEPT == len(store.state("classifier").installed)
    assert roll_back(store, "classifier") == f"9.{KEPT}.0"
    assert version_in_force(store) == f"9.{KEPT}.0"


def test_installing_twice_changes_nothing_and_repairs_what_was_damaged(store: BundleStore, tmp_path: Path) -> None:
    raw = archive(tmp_path)
    put(store, raw)
    (network,) = store.folder.rglob("network.onnx")
    network.write_bytes(b"rotten")
    with pytest.raises(BundleError, match=r"network\.onnx is not the file that was packed: install the bundle again"):
        find_bundle("classifier", None, store, HERE)
    put(store, raw)
    assert version_in_force(store) == "9.0.0"
    assert len(store.state("classifier").installed) == 1


@pytest.mark.parametrize("name", ["manifest.toml", "golden.npz", "network.onnx", "contents.json"])
def test_an_installed_file_that_was_altered_is_refused(store: BundleStore, tmp_path: Path, name: str) -> None:
    put(store, archive(tmp_path))
    (path,) = store.folder.rglob(name)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError, match="install the bundle again"):
        find_bundle("classifier", None, store, HERE)
    with pytest.raises(BundleError):
        use(store, "classifier", "9.0.0", RULES)


def test_unsigned_bundles_and_unknown_keys_are_refused_unless_allowed(store: BundleStore, tmp_path: Path) -> None:
    unsigned = archive_of(workshop.bundle(tmp_path / "unsigned"), key=None)
    signed = archive_of(Bundle.read(tmp_path / "unsigned"))
    by_another = archive_of(Bundle.read(tmp_path / "unsigned"), key=make_key())
    for raw, changes, got in (
        (unsigned, {}, "is not signed"),
        (signed, {"keys": ()}, r"models\.keys in the settings holds no key"),
        (by_another, {}, "was not signed with a key in models.keys"),
        (by_another, {"allow_unsigned": True}, "was not signed with a key in models.keys"),
    ):
        with pytest.raises(BundleError, match=got):
            put(store, raw, **changes)
    assert not store.folder.exists()
    put(store, unsigned, allow_unsigned=True)
    assert store.state("classifier").installed[0].signed_by == "nobody"


def test_the_second_of_two_keys_will_do_as_well(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive(tmp_path), keys=(sign(make_key(), b"")[1], *RULES.keys))
    assert version_in_force(store) == "9.0.0"


def test_a_downgrade_is_refused_unless_allowed(store: BundleStore, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"classifier 1\.0\.0 is older than .*--allow-downgrade"):
        put(store, archive(tmp_path, "1.0.0"))
    put(store, archive(tmp_path, "9.10.0"))
    with pytest.raises(BundleError, match=r"9\.9\.0 is older than 9\.10\.0"):
        put(store, archive(tmp_path, "9.9.0"))
    put(store, archive(tmp_path / "again", "9.9.0"), allow_downgrade=True)
    assert version_in_force(store) == "9.9.0"


def test_one_version_number_stands_for_one_bundle(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive(tmp_path))
    with pytest.raises(BundleError, match=r"another classifier 9\.0\.0 is installed"):
        put(store, archive_of(workshop.bundle(tmp_path / "other", turned=True)))
    shipped = Bundle.read(find_bundle("classifier", None, None, HERE).folder).manifest.version
    with pytest.raises(BundleError, match=f"another classifier {shipped} came with the software"):
        put(BundleStore(tmp_path / "empty"), archive(tmp_path, shipped))


def test_a_classifier_cannot_take_the_name_of_a_segmenter(store: BundleStore, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is a classifier, the segmenter in force is a segmenter"):
        put(store, archive(tmp_path, name="segmenter"))


@pytest.mark.parametrize(
    ("least", "below", "got"),
    [("0.2.0", None, "works with leukoscope 0.2.0 or later, this is"), ("0.0.1", "0.1.0", "and below 0.1.0")],
)
def test_a_bundle_for_other_software_is_refused(
    store: BundleStore, tmp_path: Path, least: str, below: str | None, got: str
) -> None:
    raw = archive_of(workshop.bundle(tmp_path / "b"), SoftwareRange(at_least=least, below=below))
    with pytest.raises(BundleError, match=got):
        put(store, raw, software="0.1.0")


def test_an_installed_bundle_that_the_updated_software_cannot_use_says_so(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive_of(workshop.bundle(tmp_path / "b"), SoftwareRange(at_least="0.1.0", below="5.0.0")))
    with pytest.raises(BundleError, match=r"and below 5\.0\.0, this is 5\.0\.0"):
        find_bundle("classifier", None, store, "5.0.0")


def test_a_bundle_without_a_network_for_this_engine_is_refused(store: BundleStore, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no network for engine litert \(it holds onnx\)"):
        put(store, archive(tmp_path), engine=LitertSettings())


def test_a_bundle_that_decides_otherwise_on_this_board_is_refused(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive(tmp_path))
    with pytest.raises(BundleError, match=r"does not decide on this board as it must \(0 of 2"):
        put(store, archive(tmp_path, "9.1.0", turned=True))
    assert version_in_force(store) == "9.0.0"
    put(store, archive(tmp_path, "9.2.0"))
    assert not list(store.folder.glob("classifier/9.1.0-*")), "what was refused is swept away"


def test_a_network_the_engine_cannot_load_is_refused(store: BundleStore, tmp_path: Path) -> None:
    made = workshop.bundle(tmp_path / "b")
    rotten = b"no network"
    text = (made.folder / "manifest.toml").read_text()
    digest = made.manifest.files["onnx"].sha256
    (made.folder / "network.onnx").write_bytes(rotten)
    (made.folder / "manifest.toml").write_text(text.replace(digest, hashlib.sha256(rotten).hexdigest()))
    with pytest.raises(EngineUnavailable, match="cannot load"):
        put(store, archive_of(Bundle.read(made.folder)))
    assert version_in_force(store) != "9.0.0"


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"version": "9.0.1"}, "its manifest says"),
        ({"name": "other"}, "its manifest says"),
        ({"engines": ["onnx", "litert"]}, "its manifest says"),
        ({"schema_version": 2}, "schema_version = 2.*update leukoscope"),
        ({"files": {}}, "against its contents.json"),
        ({"files": {"../x": {"sha256": "0" * 64, "bytes": 0}}}, "outside the bundle"),
        ({"mood": "good"}, "mood is not a known key"),
    ],
)
def test_contents_that_contradict_the_bundle_are_refused_though_signed(
    store: BundleStore, tmp_path: Path, changes: dict[str, Any], got: str
) -> None:
    with pytest.raises(BundleError, match=got):
        put(store, resigned(archive(tmp_path), **changes))
    assert version_in_force(store) != "9.0.0"


def test_a_full_disk_is_told_and_what_was_in_force_stays(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, archive(tmp_path))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("leukoscope.system.durable_files.os.fsync", full)
        with pytest.raises(BundleError, match=r"No space left on device\): check owner, mount and free space"):
            put(store, archive(tmp_path, "9.1.0"))
    assert version_in_force(store) == "9.0.0"


def test_a_second_installation_at_once_is_refused(store: BundleStore, tmp_path: Path) -> None:
    with store.installing(), pytest.raises(BundleError, match="another installation is under way"):
        put(store, archive(tmp_path))


def test_root_does_not_leave_files_that_the_service_cannot_change(
    store: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 1, -1)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(BundleError, match="run this as its owner, `sudo -u"):
        put(store, archive(tmp_path))


def test_a_damaged_state_is_told_with_the_way_out(store: BundleStore, tmp_path: Path) -> None:
    put(store, archive(tmp_path))
    (store.folder / "classifier" / "state.json").write_text('{"history": ["9.9.9-0000000000000000"]}')
    with pytest.raises(BundleError, match=r"is damaged .*: move the folder .* away"):
        find_bundle("classifier", None, store, HERE)


@pytest.mark.parametrize("content", [b"", bytes(3000), b"{", b"\xff\xfe"])
def test_a_state_that_a_power_cut_left_as_nothing_is_told_in_readable_words(store: BundleStore, content: bytes) -> None:
    (store.folder / "classifier").mkdir(parents=True)
    (store.folder / "classifier" / "state.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"is damaged \(invalid json: [ -~]+\): move the folder [ -~]+") as caught:
        find_bundle("classifier", None, store, HERE)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["../classifier", "/etc", "", "Classifier", "a/b"])
def test_a_name_that_is_a_path_reaches_nothing(store: BundleStore, name: str) -> None:
    for attempt in (lambda: use(store, name, "shipped", RULES), lambda: roll_back(store, name)):
        with pytest.raises(BundleError, match="no bundle is called"):
            attempt()
    assert not store.folder.exists()


def test_a_validation_that_no_report_could_be_made_with_is_refused(store: BundleStore, tmp_path: Path) -> None:
    made = workshop.bundle(tmp_path / "b")
    content = b'{"matrices": [{"collection": "c", "held_out_by": "slide", "truth": [], "named": ["x"], "counts": []}]}'
    (made.folder / "validation.json").write_bytes(content)
    manifest = made.folder / "manifest.toml"
    stored = f'validation = {{ path = "validation.json", sha256 = "{hashlib.sha256(content).hexdigest()}" }}'
    manifest.write_text(manifest.read_text().replace("[files.onnx]", f"{stored}\n\n[files.onnx]"))
    with pytest.raises(BundleError, match=r"counts answers \['x'\], which are no classes of the bundle"):
        put(store, archive_of(Bundle.read(made.folder)))
    assert version_in_force(store) != "9.0.0"
