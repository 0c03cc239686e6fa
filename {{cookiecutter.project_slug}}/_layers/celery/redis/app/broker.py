"""Redis as Celery's broker: https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/redis.html"""

from functools import partial
from typing import Any

from kombu import Exchange, Queue
from kombu.transport import redis, virtual
from kombu.utils.json import dumps, loads

from app.environment import PROJECT, environment

TRANSPORT = "app.broker:Transport"
# https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html#transport-options
TRANSPORT_OPTIONS = {
    # Several projects may share a server.
    "global_keyprefix": f"{PROJECT['name']}:",
    # When a message is handed out again whose worker is gone: no task may take so long.
    "visibility_timeout": 360,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "health_check_interval": 5,
}

# The transport does not see this in the scheme of the URL, because it goes by its own name.
TLS = {"ssl_cert_reqs": "required"} if (environment.broker_url or "").startswith("rediss:") else False


def queue(name: str) -> Queue:
    return Queue(name, Exchange("jobs"), routing_key=name)


DEAD = queue("dead")


class Client(redis.PrefixedStrictRedis):
    """Puts aside what is no message: Kombu would take it from its queue and forget it."""

    def __init__(self, *, channel: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self._channel = channel

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:  # noqa: ANN401
        response = super().parse_response(connection, command_name, **options)
        if command_name == "BRPOP" and response and not self._is_message(response[1]):
            redis.logger.error("message is dead")
            self.lpush(DEAD.name, response[1])
            return None
        return response

    def _is_message(self, raw: bytes) -> bool:
        try:
            delivery = self._channel.message_to_python(loads(raw)).delivery_info
            return "exchange" in delivery and "routing_key" in delivery
        except Exception:  # noqa: BLE001
            return False


class QoS(redis.QoS):
    """Keeps rejected messages, as RabbitMQ does."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        finally:
            # Where the server is gone, the worker would count the message as unfinished and never ask for another one.
            virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            with self.channel.conn_or_acquire() as client:  # type: ignore[attr-defined]
                client.lpush(DEAD.name, dumps(self.get(delivery_tag)._raw))
        super().reject(delivery_tag, requeue)


class Channel(redis.Channel):
    QoS = QoS

    def _get_client(self) -> partial[Client]:
        return partial(Client, channel=self, global_keyprefix=self.global_keyprefix)


class Transport(redis.Transport):
    Channel = Channel
