"""What is too large is cut on the wire, and the reader of the stream is none the wiser."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.delivery.mqtt.bounded_packets import BoundedPackets, OversizedPacket

LARGEST = 300


def number(value):
    digits = bytearray()
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(digits)


def publication(topic, payload, *, qos, properties=None, mid=7):
    """A PUBLISH packet; of MQTT 5 where it has properties."""
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    if properties is not None:
        body += number(len(properties)) + properties
    body += payload
    return bytes([0x30 | qos << 1]) + number(len(body)) + body


class Wire:
    """A socket that gives pieces of chance sizes, and sometimes nothing yet."""

    def __init__(self, stream, sizes):
        self.stream, self.sizes = stream, sizes
        self.turn = 0
        self.most_asked = 0

    def receive(self, count):
        self.most_asked = max(self.most_asked, count)
        self.turn += 1
        size = self.sizes[self.turn % len(self.sizes)]
        if size == 0:
            raise BlockingIOError
        got, self.stream = self.stream[: min(count, size)], self.stream[min(count, size) :]
        return got


def read_packet(packets, wire):
    """As paho does: one byte, then the length byte by byte, then the rest; it begins anew where nothing is there."""

    def read(count):
        got = b""
        while len(got) < count:
            try:
                more = packets.read(count - len(got), wire.receive)
            except BlockingIOError:
                continue
            if not more:
                raise EOFError
            got += more
        return got

    head = read(1)
    shift = length = 0
    while True:
        digit = read(1)
        head += digit
        length |= (digit[0] & 0x7F) << shift
        shift += 7
        if not digit[0] & 0x80:
            return head + read(length), packets.cut_from


PUBLICATIONS = st.builds(
    lambda topic, payload, qos, properties: (topic, payload, qos, properties),
    st.binary(min_size=1, max_size=40),
    st.binary(max_size=3 * LARGEST),
    st.sampled_from([0, 1]),
    st.binary(max_size=150),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(PUBLICATIONS, max_size=5), st.booleans(), st.lists(st.integers(0, 700), min_size=1).filter(any))
def test_small_packets_pass_as_they_are_and_large_payloads_are_cut_however_the_stream_is_chopped(sent, v5, sizes):
    def packet(topic, payload, qos, properties):
        return publication(topic, payload, qos=qos, properties=properties if v5 else None)

    between = b"\xd0\x00"
    wire = Wire(b"".join(packet(*one) + between for one in sent), sizes)
    packets = BoundedPackets(LARGEST, has_properties=v5)
    for topic, payload, qos, properties in sent:
        got, cut_from = read_packet(packets, wire)
        assert got == packet(topic, payload[:LARGEST], qos, properties)
        assert cut_from == (len(payload) if len(payload) > LARGEST else None)
        assert read_packet(packets, wire) == (between, None)


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"\x90" + number(400) + b"x" * 400, "400 bytes that is no publication"),
        (b"\x30" + number(1000) + (60_000).to_bytes(2, "big") + b"t" * 998, "longer than itself"),
        (publication(b"t", b"x", qos=0, properties=b"p" * 70_000), "properties of 70000 bytes"),
    ],
)
def test_what_cannot_be_cut_is_refused(stream, words):
    packets = BoundedPackets(LARGEST, has_properties=True)
    with pytest.raises(OversizedPacket, match=words):
        read_packet(packets, Wire(stream, [65_536]))


def test_no_more_is_asked_of_the_socket_at_once_than_a_little():
    wire = Wire(publication(b"topic", b"x" * 20_000_000, qos=1), [100_000])
    packets = BoundedPackets(10_000_000, has_properties=False)
    got, cut_from = read_packet(packets, wire)
    assert (len(got) > 10_000_000, cut_from) == (True, 20_000_000)
    assert wire.most_asked <= 65_536
