"""Reads arrays that another program stored, without believing what the file says of itself."""

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 64 * 2**20
"""Of all arrays of a file, unpacked; what this instrument stores is a twentieth of it."""


def read_arrays(content: bytes, most_bytes: int = MAX_BYTES) -> dict[str, NDArray[Any]]:
    """The arrays in the content of an .npz file, by name.

    Raises:
        ValueError: it is none, is damaged, holds objects, or more than `most_bytes`; sizes are looked up before
            anything is unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            claimed = sum(entry.file_size for entry in packed.infolist())
        if claimed > most_bytes:
            raise ValueError(f"{claimed} bytes of arrays, expected at most {most_bytes}")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except Exception as error:
        # zipfile, zlib, tokenize and numpy each raise what they stumble over; a shape may ask for any memory.
        raise ValueError(f"no readable .npz file ({type(error).__name__}: {error})".replace("\n", " ")) from error
    if unknown := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(f"{unknown[0]!r} is no array")
    return arrays
