"""Packs a bundle into one signed archive that `leukoscope bundle install` takes.

tools/pack_bundle.py new-key ours.pem                                  once; prints the public key for the settings
tools/pack_bundle.py pack models/classifier --key ours.pem             writes classifier-2.0.0.leukoscope
tools/pack_bundle.py pack models/classifier --key ours.pem --at-least 0.2.0 --below 1.0.0
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import tomli_w
import typer

from leukoscope import __version__
from leukoscope.analysis.golden import replay
from leukoscope.bundles.archive import SUFFIX, Archive, write_archive
from leukoscope.bundles.contents import SoftwareRange, contents_of, files_to_pack
from leukoscope.bundles.signing import fingerprint, make_key, sign
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings

ENGINES: tuple[EngineSettings, ...] = (OnnxSettings(), LitertSettings())
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command("new-key")
def new_key(path: Annotated[Path, typer.Argument(help="Where the private key goes; keep it off the devices.")]) -> None:
    """Make a key pair, once per workshop."""
    private = make_key()
    try:
        # No other user may read it, not even for the moment between writing and a change of mode.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BundleError(f"{path} cannot be made ({error.strerror})", "choose another place") from error
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    _, public = sign(private, b"")
    settings = tomli_w.dumps({"models": {"keys": [public]}})
    typer.echo(f"{path} is the private key. For the settings of every device:\n\n{settings}", nl=False)


@app.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="The bundle, such as models/classifier.")],
    key: Annotated[Path | None, typer.Option(help="The private key; without it the archive is unsigned.")] = None,
    out: Annotated[Path | None, typer.Option(help="The archive; NAME-VERSION.leukoscope here otherwise.")] = None,
    at_least: Annotated[str, typer.Option(help="First version of leukoscope it works with.")] = __version__,
    below: Annotated[str | None, typer.Option(help="First version it does not work with any more.")] = None,
) -> None:
    """Check a bundle, replay its golden pair on every engine it has a network for, and pack it."""
    bundle = Bundle.read(folder)
    for engine in ENGINES:
        if engine.driver in bundle.manifest.files and not replay(bundle, engine.open(bundle)).passed:
            raise BundleError(f"{folder} fails its golden check on {engine.driver}", "it must not leave the desk")
    files = files_to_pack(bundle)
    try:
        software = SoftwareRange(at_least=at_least, below=below)
        private = None if key is None else key.read_bytes()
    except (OSError, ValueError) as error:
        raise BundleError(str(error), "correct what was given") from error
    contents = contents_of(bundle, files, software).model_dump_json(indent=1).encode()
    signature, public = (None, None) if private is None else sign(private, contents)
    path = out or Path(f"{bundle.manifest.name}-{bundle.manifest.version}{SUFFIX}")
    raw = write_archive(Archive(contents, signature, files))
    path.write_bytes(raw)
    signer = "nobody" if public is None else fingerprint(public)
    typer.echo(f"{path}: {bundle.manifest.name} {bundle.manifest.version}, {len(raw):,} bytes, signed by {signer}")


if __name__ == "__main__":
    try:
        app()
    except LeukoscopeError as problem:
        typer.echo(f"pack_bundle: {problem}", err=True)
        sys.exit(2)
