"""Reads MQTT packets from a socket and cuts what is too large, before it can fill the memory."""

from collections.abc import Callable

_PUBLISH = 3
_CHUNK_BYTES = 65_536
_LARGEST_PROPERTIES = 65_536
_LONGEST_NUMBER = 4
"""Bytes of a variable byte integer."""


class OversizedPacket(Exception):
    """A packet that is too large and is no publication that could be cut."""


class BoundedPackets:
    """Stands between a socket and a reader that asks for a packet piece by piece, as paho does.

    A packet that is not too large passes through as it is. Of a publication whose payload is larger than allowed
    the reader gets the beginning, as if that were all, so that it acknowledges it as any other; the rest is
    received and thrown away.
    """

    def __init__(self, largest_payload: int, *, has_properties: bool) -> None:
        """The packets of a new connection.

        Args:
            largest_payload: bytes of a publication's payload that the reader gets.
            has_properties: the packets are MQTT 5's.
        """
        self._largest = largest_payload
        self._has_properties = has_properties
        self._head = bytearray()
        self._length = 0
        self._wanted = 0
        self._begun = bytearray()
        self._ready = bytearray()
        self._pass_on = 0
        self._discard = 0
        self.cut_from: int | None = None
        """Bytes that the payload of the packet read last had, where it was cut."""

    def read(self, count: int, receive: Callable[[int], bytes]) -> bytes:
        """Up to `count` bytes of the stream as the reader is to see it; b"" when it has ended.

        Args:
            count: as the reader wants it.
            receive: reads up to so many bytes from the socket.

        Raises:
            OversizedPacket: what comes is too large and cannot be cut.
            OSError: what the socket raises, BlockingIOError where nothing is there now.
        """
        while not self._ready:
            if self._pass_on:
                got = receive(min(count, self._pass_on, _CHUNK_BYTES))
                self._pass_on -= len(got)
                return got
            if not self._advance(receive):
                return b""
        got = bytes(self._ready[:count])
        del self._ready[: len(got)]
        return got

    def _advance(self, receive: Callable[[int], bytes]) -> bool:
        """Receive a little of what does not pass through as it is; False when the stream has ended."""
        if self._discard:
            got = receive(min(self._discard, _CHUNK_BYTES))
            self._discard -= len(got)
        elif not self._length:
            got = receive(1)
            self._head += got
            self._read_head()
        else:
            got = receive(min(self._wanted - len(self._begun), _CHUNK_BYTES))
            self._begun += got
            self._wanted, payload_at = self._layout()
            if payload_at is not None and len(self._begun) == self._wanted:
                self._cut(payload_at)
        return bool(got)

    def _read_head(self) -> None:
        if len(self._head) < 2 or (self._head[-1] & 0x80 and len(self._head) <= _LONGEST_NUMBER):
            return
        length, _ = _number(self._head, 1)
        if self._head[-1] & 0x80 or length <= self._largest:
            # Small, or what no length is: the reader says what it thinks of that.
            self.cut_from = None
            self._ready += self._head
            self._head.clear()
            self._pass_on = length
        elif self._head[0] >> 4 != _PUBLISH:
            raise OversizedPacket(f"a packet of {length} bytes that is no publication")
        else:
            self._length = length
            self._wanted, _ = self._layout()

    def _layout(self) -> tuple[int, int | None]:
        """How many bytes of the publication are wanted, and where its payload begins as soon as that is known."""
        begun = self._begun
        if len(begun) < 2:
            return 2, None
        at = 2 + int.from_bytes(begun[:2], "big") + (2 if self._head[0] & 0x06 else 0)
        self._refuse_beyond(at)
        if self._has_properties:
            if len(begun) <= at:
                self._refuse_beyond(at + 1)
                return at + 1, None
            size, after = _number(begun, at)
            if begun[after - 1] & 0x80 and after - at < _LONGEST_NUMBER:
                self._refuse_beyond(after + 1)
                return after + 1, None
            if size > _LARGEST_PROPERTIES:
                raise OversizedPacket(f"a publication with properties of {size} bytes")
            at = after + size
            self._refuse_beyond(at)
        return min(at + self._largest, self._length), at

    def _refuse_beyond(self, end: int) -> None:
        if end > self._length:
            raise OversizedPacket("a publication whose topic or properties are longer than itself")

    def _cut(self, payload_at: int) -> None:
        full = self._length - payload_at
        self.cut_from = full if full > self._largest else None
        self._discard = self._length - len(self._begun)
        self._ready += self._head[:1] + _encoded(len(self._begun)) + self._begun
        self._head.clear()
        self._begun.clear()
        self._length = 0


def _number(source: bytearray, at: int) -> tuple[int, int]:
    """The variable byte integer at a place, as far as it is there, and the place after it."""
    number = 0
    for place in range(min(_LONGEST_NUMBER, len(source) - at)):
        number |= (source[at + place] & 0x7F) << (7 * place)
        if not source[at + place] & 0x80:
            return number, at + place + 1
    return number, min(at + _LONGEST_NUMBER, len(source))


def _encoded(number: int) -> bytes:
    """A variable byte integer (MQTT 5, 1.5.5)."""
    digits = bytearray()
    while True:
        number, digit = divmod(number, 128)
        digits.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(digits)
