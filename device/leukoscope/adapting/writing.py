"""Writes the bundle of a head that was fitted: the networks of another one, and what follows from the head."""

import hashlib
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tomli_w
from numpy.typing import NDArray

from leukoscope.adapting.fitting import Fitted
from leukoscope.analysis.golden import clear_lead, golden_pair, write_golden
from leukoscope.bundles.archive import MANIFEST
from leukoscope.errors import AdaptingError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.bundle_files import GOLDEN, HEAD, VALIDATION
from leukoscope.inference.head import FEATURES, Head
from leukoscope.inference.network import Network
from leukoscope.schema import table_of
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.system.durable_files import sync_folder, write_whole


def write_bundle(
    like: Bundle, network: Network, fitted: Fitted, name: str, folder: Path, prove: Callable[[Bundle], object]
) -> None:
    """Write a bundle with the networks of another one and the head that was fitted.

    It appears whole or not at all, and never in the place of another.

    Args:
        like: the bundle the head was fitted from; its networks, version, temperature and limit of unsure stay.
        network: of that bundle, by which golden decisions are made.
        fitted: the head.
        name: of the new bundle.
        folder: where it goes.
        prove: raises where the new bundle does not decide as it must.

    Raises:
        AdaptingError: there is something already, or it cannot be written.
        BundleError: a file of the other bundle is missing or altered.
    """
    if folder.exists():
        raise AdaptingError(
            Sentence("{folder} is there already", folder=Verbatim(folder)), "choose another name, or move it away"
        )
    aside = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        for file, content in _files(like, network, fitted, name).items():
            (aside / file).parent.mkdir(parents=True, exist_ok=True)
            write_whole(aside / file, content)
        prove(Bundle.read(aside))
        aside.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise AdaptingError(
            Sentence("{folder} cannot be written ({why})", folder=Verbatim(folder), why=error.strerror),
            "choose another --to",
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _files(like: Bundle, network: Network, fitted: Fitted, name: str) -> Mapping[str, bytes]:
    manifest = table_of((like.folder / MANIFEST).read_bytes())
    kept = [*(like.network_path(engine) for engine in like.manifest.files), like.known_path()]
    new = {
        "head": (HEAD, _arrays(weights=fitted.head.weights, biases=fitted.head.biases)),
        "golden": (GOLDEN, _golden(like, network, fitted.head)),
    }
    manifest.pop("validation", None)
    if fitted.validation is not None:
        new["validation"] = VALIDATION, fitted.validation.model_dump_json(indent=1).encode()
    manifest["name"] = name
    manifest |= {
        key: {"path": file, "sha256": hashlib.sha256(content).hexdigest()} for key, (file, content) in new.items()
    }
    files = {path.name: path.read_bytes() for path in kept if path is not None}
    return files | dict(new.values()) | {MANIFEST: tomli_w.dumps(manifest).encode()}


def _golden(like: Bundle, network: Network, head: Head) -> bytes:
    """The golden pictures of the other bundle that the new head is clear about, and what it says of them."""
    pictures, _ = golden_pair(like)
    logits = head.logits(np.stack([network.run(picture)[FEATURES] for picture in pictures]))
    clear = clear_lead(logits)
    content = io.BytesIO()
    write_golden(content, pictures[clear], classes=logits[clear].argmax(axis=1))
    return content.getvalue()


def _arrays(**arrays: NDArray[np.float32]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()
