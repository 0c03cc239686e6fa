"""RabbitMQ as Celery's broker: https://docs.celeryq.dev/en/stable/getting-started/backends-and-brokers/rabbitmq.html"""

from urllib.parse import urlsplit

from celery.signals import before_task_publish
from kombu import Exchange, Queue

from app.environment import PROJECT, environment

# The one that the URL names.
TRANSPORT = None
# https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.pyamqp.html
TRANSPORT_OPTIONS = {"confirm_publish": True}
_url = urlsplit(environment.broker_url or "")
# Without the name, any server's certificate would do.
TLS = {"server_hostname": _url.hostname} if _url.scheme == "amqps" else False

_exchange = Exchange(PROJECT["name"])


def queue(name: str) -> Queue:
    """A replicated queue. Its name on the server begins with the project's, because several may share a server.

    https://www.rabbitmq.com/docs/quorum-queues
    """
    full_name = f"{PROJECT['name']}.{name}"
    arguments = {
        "x-queue-type": "quorum",
        # How often a message may lose its worker.
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD.name,
    }
    return Queue(full_name, _exchange, full_name, alias=name, queue_arguments=arguments)


DEAD = Queue(
    f"{PROJECT['name']}.dead", _exchange, f"{PROJECT['name']}.dead", queue_arguments={"x-queue-type": "quorum"}
)


@before_task_publish.connect
def leave_expiry_to_the_workers(properties: dict[str, object], **_: object) -> None:
    """They forget an expired message; RabbitMQ would keep it among the dead."""
    properties.pop("expiration", None)
