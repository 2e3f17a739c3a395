"""The fake keeps the signatures of the published picamera2, read from its source without installing it."""

import ast
import inspect
import subprocess
import sys
import tarfile

import pytest

from leukoscope.cameras import picamera_fake

RELEASE = "0.3.38"
ARCHIVE = f"picamera2-{RELEASE}.tar.gz"
USED = {
    "Picamera2": (
        "__init__",
        "global_camera_info",
        "create_still_configuration",
        "configure",
        "start",
        "stop",
        "close",
        "capture_request",
        "cancel_all_and_flush",
    ),
    "CompletedRequest": ("__init__", "make_array", "get_metadata", "release"),
}


@pytest.fixture(scope="module")
def published(request):
    """Parameter names of every method of the two classes, from the source distribution."""
    folder = request.config.cache.mkdir("picamera2")
    if not (folder / ARCHIVE).exists():
        fetch = ["download", "--no-deps", "--no-binary", "picamera2"]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pip", *fetch, "--dest", str(folder), f"picamera2=={RELEASE}"],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.skip("picamera2's source could not be fetched: the package index did not answer in 60 s")
        if not (folder / ARCHIVE).exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            pytest.skip(f"picamera2's source could not be fetched: {last}")
    classes = {}
    with tarfile.open(folder / ARCHIVE) as archive:
        for name in ("picamera2", "request"):
            source = archive.extractfile(f"picamera2-{RELEASE}/picamera2/{name}.py")
            for node in ast.parse(source.read()).body:
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = methods(node)
    return classes


def methods(node):
    """The last definition of a name counts: overloads come before it."""
    found = (item for item in node.body if isinstance(item, ast.FunctionDef))
    return {item.name: [argument.arg for argument in item.args.args] for item in found}


@pytest.mark.parametrize(("name", "method"), [(name, method) for name in USED for method in USED[name]])
def test_the_fake_has_the_published_signature(published, name, method):
    ours = list(inspect.signature(getattr(getattr(picamera_fake, name), method)).parameters)
    assert ours == published[name][method]


def test_no_method_of_the_fake_goes_unchecked():
    for name, checked in USED.items():
        ours = {n for n, value in vars(getattr(picamera_fake, name)).items() if callable(value)}
        assert {n for n in ours if not n.startswith("_")} <= set(checked)
