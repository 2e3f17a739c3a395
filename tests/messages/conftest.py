"""The outbox, brokers and publishers of the tests of delivery."""

from tests.delivery.conftest import mosquitto, outbox, publisher

__all__ = ["mosquitto", "outbox", "publisher"]
