"""The tags of a TIFF file's first page as they lie in the file, for files that Pillow does not take."""

import struct
from collections.abc import Mapping
from pathlib import Path

_TAG_BYTES = 12
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Of each kind of value of a tag (TIFF 6.0, section 2); up to four bytes stand in the tag itself."""
_IN_TAG_BYTES = 4
_SHORT = 3


def first_values(path: Path) -> Mapping[int, int] | None:
    """Each tag of the first page and its first value; of values that are no short numbers, where they lie.

    None where the file ends before its tags do: they often stand at the end.

    Args:
        path: a file that begins as a TIFF file does.
    """
    content_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8:
            return None
        order = "<" if start[:2] == b"II" else ">"
        file.seek(struct.unpack(f"{order}I", start[4:])[0])
        begin = file.read(2)
        count = int(struct.unpack(f"{order}H", begin)[0]) if len(begin) == 2 else 0
        tags = file.read(_TAG_BYTES * count)
        if not count or len(tags) < _TAG_BYTES * count:
            return None
        values: dict[int, int] = {}
        for at in range(0, len(tags), _TAG_BYTES):
            tag, kind, many, value = struct.unpack_from(f"{order}HHII", tags, at)
            length = _VALUE_BYTES.get(kind, 0) * many
            if length > _IN_TAG_BYTES and value + length > content_bytes:
                return None
            if kind == _SHORT and length <= _IN_TAG_BYTES:
                value = struct.unpack_from(f"{order}H", tags, at + 8)[0]
            elif kind == _SHORT:
                # The depths of three channels lie elsewhere.
                file.seek(value)
                value = struct.unpack(f"{order}H", file.read(2))[0]
            values[int(tag)] = int(value)
    return values
