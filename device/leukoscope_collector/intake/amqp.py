"""From a RabbitMQ cluster, through a replicated queue that the collectors compete for (AMQP 0-9-1)."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Literal

from pydantic import Field

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import BrokerError
from leukoscope_collector.intake import Delivery, Share

INTAKE_QUEUE = "leukoscope-intake"
"""What devices say, until it is stored."""
DEAD_LETTER_QUEUE = "leukoscope-quarantine"
"""What was handed out again and again and never acknowledged."""


class AmqpIntakeSettings(BrokerSettings):
    """A cluster as `leukoscope-provision --cluster` writes it; MQTT topics arrive with dots for slashes."""

    driver: Literal["amqp"]
    queue: Annotated[str, Field(min_length=1, max_length=255)] = INTAKE_QUEUE
    """The queue to take from; it must be there."""
    virtual_host: str = "/"

    @property
    def address_port(self) -> int:
        """The port that is really used: 5671 with tls, 5672 without, where none is set."""
        return self.port or (5671 if self.tls else 5672)

    def open(self, share: Share, give_up: Callable[[], bool]) -> "AmqpIntake":
        """An intake that is connected and consumes.

        Args:
            share: what is to be taken; the queue, not the group, says what is shared.
            give_up: not asked: connecting ends after `connect_timeout_s`.

        Raises:
            BrokerError: the broker is not there, refuses the connection, or has no such queue.
        """
        return AmqpIntake(self, share)


class AmqpIntake:
    """One connection and one consumer that acknowledges by hand."""

    def __init__(self, settings: AmqpIntakeSettings, share: Share) -> None:
        self._settings = settings
        self._deliveries: deque[Delivery] = deque()
        self._cancelled = False
        self._connection: Any = None
        with self._broker_errors("the broker cannot be reached"):
            from pika import BlockingConnection

            self._connection = BlockingConnection(_parameters(settings, share))
        try:
            with self._broker_errors("the broker refuses the queue"):
                self._channel = self._connection.channel()
                self._channel.basic_qos(prefetch_count=share.receive_maximum)
                self._channel.add_on_cancel_callback(self._on_cancel)
                self._channel.basic_consume(settings.queue, self._on_message)
        except BaseException:
            self.close()
            raise

    @property
    def waiting(self) -> int:
        """As in `Intake`."""
        return len(self._deliveries)

    def poll(self, timeout_s: float) -> None:
        """As in `Intake`."""
        with self._broker_errors("the connection was lost"):
            self._connection.process_data_events(timeout_s)
        if self._cancelled:
            raise BrokerError(f"the broker took the queue {self._settings.queue} away", "declare the queue again")

    def take(self, most: int) -> list[Delivery]:
        """As in `Intake`."""
        return [self._deliveries.popleft() for _ in range(min(most, len(self._deliveries)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """As in `Intake`."""
        if deliveries:
            with self._broker_errors("the connection was lost"):
                # All before the last were taken, and so acknowledged, before it.
                self._channel.basic_ack(deliveries[-1].tag, multiple=True)

    def leave(self) -> None:
        """As in `Intake`."""
        self.close()

    def close(self) -> None:
        """As in `Intake`."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.is_open:
            with suppress(BrokerError), self._broker_errors("the connection was lost"):
                connection.close()

    def _on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._deliveries.append(Delivery(method.routing_key.replace(".", "/"), body, method.delivery_tag))

    def _on_cancel(self, frame: Any) -> None:
        self._cancelled = True

    @contextmanager
    def _broker_errors(self, what: str) -> Iterator[None]:
        from pika.adapters.utils.connection_workflow import AMQPConnectorException
        from pika.exceptions import AMQPError

        try:
            yield
        # What goes wrong while connecting has a family of its own in pika, outside AMQPError.
        except (AMQPError, AMQPConnectorException, OSError) as error:
            raise BrokerError(
                f"{self._settings.where}: {what} ({_reason(error)})",
                "does it run, and do its address, the user and what it may do fit?",
            ) from error


def _parameters(settings: AmqpIntakeSettings, share: Share) -> Any:
    from pika import ConnectionParameters, PlainCredentials, SSLOptions
    from pika.credentials import ExternalCredentials

    credentials: Any = ExternalCredentials()
    if settings.client_cert is None:
        credentials = PlainCredentials(settings.username or "", settings.password() or "")
    return ConnectionParameters(
        host=settings.host,
        port=settings.address_port,
        virtual_host=settings.virtual_host,
        credentials=credentials,
        ssl_options=SSLOptions(settings.tls_context(), settings.host) if settings.tls else None,
        heartbeat=settings.keepalive_s,
        socket_timeout=settings.connect_timeout_s,
        stack_timeout=settings.connect_timeout_s,
        blocked_connection_timeout=settings.connect_timeout_s,
        client_properties={"connection_name": f"leukoscope-{share.name}"},
    )


def _reason(error: BaseException) -> str:
    """One line, of the cause where pika only wraps it."""
    from pika.adapters.utils.connection_workflow import AMQPConnectorStackTimeout

    if isinstance(error, AMQPConnectorStackTimeout):
        return "no answer in time"
    for inner in (*error.args, *(getattr(error.args[0], "exceptions", ()) if error.args else ())):
        if isinstance(inner, BaseException):
            return _reason(inner)
    return " ".join(str(error).split()) or type(error).__name__
