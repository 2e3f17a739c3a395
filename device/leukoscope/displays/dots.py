"""A 5x7 dot-matrix alphabet for one-bit displays, where outline fonts become illegible."""

import unicodedata
from functools import lru_cache

from PIL import Image

HEIGHT = 8
"""Rows of a glyph: seven above the baseline and one for descenders."""

# Per character its columns from left to right, two hexadecimal digits each, lowest bit on top.
_GLYPHS = """
!:5F ":070007 #:147F147F14 $:242A7F2A12 %:2313086462 &:3649562050 ':07 (:1C2241 ):41221C
*:2A1C7F1C2A +:08083E0808 ,:A060 -:08080808 .:6060 /:2010080402 ::3636 ;:B676 <:08142241
=:1414141414 >:41221408 ?:0201510906 @:3E415D551E [:7F4141 \\:0204081020 ]:41417F ^:0402010204
_:4040404040 `:010204 {:083641 |:7F }:413608 ~:0804080408
0:3E4149413E 1:00427F4000 2:4261514946 3:2141494936 4:1814127F10 5:2745454539 6:3C4A494930
7:0171090503 8:3649494936 9:064949291E
A:7E1111117E B:7F49494936 C:3E41414122 D:7F4141413E E:7F49494941 F:7F09090901 G:3E41494979
H:7F0808087F I:417F41 J:304041413F K:7F08142241 L:7F40404040 M:7F020C027F N:7F0408107F
O:3E4141413E P:7F09090906 Q:3E4151215E R:7F09192946 S:2649494932 T:01017F0101 U:3F4040403F
V:1F2040201F W:3F4038403F X:6314081463 Y:0708700807 Z:6151494543
a:2054545478 b:7F48444438 c:3844444428 d:384444487F e:3854545418 f:087E0902 g:18A4A4A47C
h:7F08040478 i:447D40 j:80847D k:7F102844 l:417F40 m:7C04780478 n:7C08040478 o:3844444438
p:FC24242418 q:18242428FC r:7C080408 s:4854545424 t:043F4420 u:3C4040207C v:1C2040201C
w:3C4030403C x:4428102844 y:1CA0A0A07C z:4464544C44 µ:FC2020103C ±:44445F4444
"""


def _parsed(table: str) -> dict[str, tuple[int, ...]]:
    glyphs: dict[str, tuple[int, ...]] = {" ": (0, 0, 0)}
    for token in table.split():
        character, columns = token[0], token[2:]
        glyphs[character] = tuple(bytes.fromhex(columns))
    return glyphs


_COLUMNS = _parsed(_GLYPHS)


def width(text: str, scale: int = 1) -> int:
    """Columns the text covers, without a gap after the last character."""
    columns = sum(len(_columns(character)) + 1 for character in text)
    return max(0, columns - 1) * scale


def shortened(text: str, room: int, scale: int = 1) -> str:
    """The text, or as much of its beginning as fits into `room` pixels, ending in two dots."""
    if width(text, scale) <= room:
        return text
    kept = text
    while kept and width(kept.rstrip() + "..", scale) > room:
        kept = kept[:-1]
    return kept.rstrip() + ".." if kept else ""


@lru_cache(maxsize=512)
def stencil(text: str, scale: int = 1) -> Image.Image:
    """The text as a one-bit picture, white where it is; (width, HEIGHT) times the scale."""
    picture = Image.new("1", (max(1, width(text)), HEIGHT))
    left = 0
    for character in text:
        columns = _columns(character)
        for offset, column in enumerate(columns):
            for row in range(HEIGHT):
                if column >> row & 1:
                    picture.putpixel((left + offset, row), 1)
        left += len(columns) + 1
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def _columns(character: str) -> tuple[int, ...]:
    # A display this small has no room for accents.
    bare = unicodedata.normalize("NFD", character)[:1]
    return _COLUMNS.get(character) or _COLUMNS.get(bare, _COLUMNS["?"])
