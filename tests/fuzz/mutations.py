"""Spoils valid input: bytes by flips, cuts and splices, and trees of TOML or JSON by swapped types and values."""

import copy
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
NASTY: tuple[Any, ...] = (
    *(True, 0, -1, 1, 255, 2**31, 2**63, 2**64, 10**400, 0.0, -0.0, 1e-308, 1e308, 0.5, 2.5),
    *(float("nan"), float("inf"), float("-inf")),
    *("", " ", "a", "onnx", "x" * 4000, "\x00", "é\U0001f9eb", "../../etc/passwd", "/dev/zero", ".", "a\nb", "1.0.0"),
    *("2026-01-01T00:00:00Z", "0" * 64, "-1", "nan"),
    *([], {}, [[]], [{}], {"": 0}, [0] * 300, {"a": {"b": {"c": [1, 2, {"d": "e"}]}}}),
    *(datetime(2026, 1, 1, tzinfo=UTC), datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
)
MOST_BYTES = 300_000


def spoil_bytes(seed: bytes, rng: Random, others: Sequence[bytes]) -> bytes:
    """A valid file with one to eight things done to it; one case in twenty is noise alone."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.choice((0, 1, 4, 30, 500)))
    content = bytearray(seed)
    for _ in range(rng.randint(1, 8)):
        _BYTE_WAYS[rng.randrange(len(_BYTE_WAYS))](content, rng, others)
    return bytes(content[:MOST_BYTES])


def spoil_tree(tree: Any, rng: Random) -> Any:
    """A valid tree with one to four of its values replaced, dropped, renamed, wrapped, doubled or swapped."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = places[rng.randrange(len(places))]
        _spoil_place(holder, key, rng, places)
    return tree


def as_toml(tree: dict[str, Any]) -> bytes:
    """The tree as TOML, everything below the top inline."""
    return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in tree.items()).encode()


def as_json(tree: Any) -> bytes:
    """The tree as JSON; NaN and infinities as Python writes them."""
    return json.dumps(tree, default=str).encode()


def with_png_checksums(content: bytes) -> bytes:
    """A PNG whose chunks have right checksums again, so that damage gets past them."""
    out, place = bytearray(content[:8]), 8
    while place + 12 <= len(content):
        (length,) = struct.unpack(">L", content[place : place + 4])
        body = content[place + 4 : place + 8 + length]
        out += content[place : place + 4] + body + struct.pack(">L", zlib.crc32(body))
        place += 12 + length
    return bytes(out)


def _spoil_place(holder: Any, key: Any, rng: Random, places: Sequence[tuple[Any, Any]]) -> None:
    old = holder[key]
    match rng.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(("", "x", str(key) + "s", str(key).upper()))] = holder.pop(key)
        case 2:
            holder[key] = rng.choice(([old], [old, old], {"a": old}, str(old)))
        case 3:
            other, there = places[rng.randrange(len(places))]
            if isinstance(other, dict) and there in other:
                holder[key] = copy.deepcopy(other[there])
        case 4 if isinstance(old, list):
            old.append(rng.choice((*old, rng.choice(NASTY))))
        case 5 if isinstance(old, str) and old:
            cut = rng.randrange(len(old))
            holder[key] = old[:cut] + rng.choice(("", "\x00", "/", "..", "é", '"', "\\", "\n")) + old[cut + 1 :]
        case 6 if isinstance(old, int | float):
            holder[key] = rng.choice((-old, old + 1, old - 1, old * 1000, old // 7, str(old)))
        case _:
            holder[key] = copy.deepcopy(rng.choice(NASTY))


def _places(tree: Any) -> Any:
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from _places(tree[key])


def _toml(value: Any) -> str:  # noqa: PLR0911 - one per type of TOML
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return value.isoformat()
        case dict():
            return "{ " + ", ".join(f"{_toml(str(key))} = {_toml(one)}" for key, one in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case float():
            return repr(value)
        case str():
            # TOML takes the escapes of JSON but not its raw DEL.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value)


def _flip(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if content:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _set(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if content:
        content[rng.randrange(len(content))] = rng.randrange(256)


def _number(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place, kind = rng.randrange(len(content) + 1), rng.choice((">L", "<L", ">H", "<H"))
    packed = struct.pack(kind, rng.choice(NUMBERS) & (0xFFFF if "H" in kind else 0xFFFFFFFF))
    content[place : place + len(packed)] = packed


def _cut_out(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place = rng.randrange(len(content) + 1)
    del content[place : place + rng.randint(1, 40)]


def _cut_off(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if rng.random() < 0.3:
        del content[rng.randrange(len(content) + 1) :]


def _double(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place = rng.randrange(len(content) + 1)
    piece = content[place : place + rng.randint(1, 200)]
    content[place:place] = piece * rng.choice((1, 1, 2, 30))


def _insert(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    content[(place := rng.randrange(len(content) + 1)) : place] = rng.randbytes(rng.randint(1, 16))


def _splice(content: bytearray, rng: Random, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    begin, place = rng.randrange(len(other) + 1), rng.randrange(len(content) + 1)
    piece = other[begin : begin + rng.choice((4, 40, 400, 4000))]
    content[place : place + len(piece)] = piece


def _blank(content: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place = rng.randrange(len(content) + 1)
    length = len(content[place : place + rng.choice((4, 100, 4096))])
    content[place : place + length] = bytes([rng.choice((0, 0xFF))]) * length


_BYTE_WAYS: tuple[Callable[[bytearray, Random, Sequence[bytes]], None], ...] = (
    *(_flip, _flip, _set, _number, _number, _cut_out, _cut_off, _double, _insert, _splice, _blank),
)
