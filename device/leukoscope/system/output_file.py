"""Writes a result where a person asked for it: into a file, through a link, a pipe or a device."""

from pathlib import Path

from leukoscope.system.durable_files import write_whole


def write_output(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write all of it, into a new folder if need be; a regular file is replaced in one step, a link stays a link.

    Args:
        path: what was asked for.
        content: all of it.
        mode: permission bits of a regular file; None for those of any new file.

    Raises:
        OSError: it cannot be written to its end.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file() and not target.is_dir():
        # A pipe or a device has a reader of its own, and no name that could be replaced.
        with target.open("wb") as stream:
            stream.write(content)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, content, mode=mode)
