"""Paragraphs broken into lines and shared out over too little room, whatever the font."""

from collections.abc import Callable, Sequence

Shorten = Callable[[str], str]
"""The text, or a beginning of it that fits into one line."""


def wrapped(text: str, shorten: Shorten) -> list[str]:
    """The text as lines that fit, broken between words; a word wider than a line is cut short."""
    lines: list[str] = []
    for word in text.split():
        together = f"{lines[-1]} {word}" if lines else word
        if lines and shorten(together) == together:
            lines[-1] = together
        else:
            lines.append(word)
    return [shorten(line) for line in lines]


def flow(paragraphs: Sequence[str], shorten: Shorten, room: int, more: str = "+{count} more") -> list[tuple[int, str]]:
    """At most `room` lines as (paragraph index, line): the longest paragraphs are cut first.

    Every paragraph keeps a line as long as there is one for each; beyond that the last line counts
    those left out, in the words of `more`.
    """
    if room <= 0:
        return []
    if len(paragraphs) > room:
        first = flow(paragraphs[: room - 1], shorten, room - 1, more)
        return [*first, (room - 1, shorten(more.format(count=len(paragraphs) - room + 1)))]
    parts = [wrapped(paragraph, shorten) for paragraph in paragraphs]
    while sum(map(len, parts)) > room:
        longest = max(range(len(parts)), key=lambda index: len(parts[index]))
        *kept, last_but_one, last = parts[longest]
        parts[longest] = [*kept, shorten(f"{last_but_one} {last}")]
    return [(index, line) for index, part in enumerate(parts) for line in part]
