"""Redis, Memcached and RabbitMQ."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import httpx

from tests.services.daemon import PASSWORD, Daemon, folder, program, started
from tests.serving import free_port


class Redis(Daemon):
    """A Redis with a user and a password, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        settings = folder / "redis.conf"
        settings.write_text(
            f'bind 127.0.0.1\nport {port}\nsave ""\nuser default off\nuser service on ">{PASSWORD}" ~* &* +@all\n',
            encoding="utf-8",
        )
        super().__init__(folder, port, program("redis-server", "redis-server"), settings)

    @property
    def url(self) -> str:
        return f"redis://service:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/1"


class Memcached(Daemon):
    def __init__(self, folder: Path) -> None:
        port = free_port()
        super().__init__(
            folder, port, program("memcached", "memcached"), "--listen=127.0.0.1", f"--port={port}", "--threads=2"
        )

    @property
    def url(self) -> str:
        return f"memcached://127.0.0.1:{self.port}"


class RabbitMQ(Daemon):
    """A RabbitMQ of its own name, with the port mapper that Erlang needs, which nobody else uses."""

    # It would first say farewell to its clients.
    stop_signal = signal.SIGKILL
    start_seconds: ClassVar[float] = 60

    def __init__(self, folder: Path) -> None:
        port, mapper, management = free_port(), free_port(), free_port()
        (folder / "plugins").write_text("[rabbitmq_management].", encoding="utf-8")
        # https://www.rabbitmq.com/docs/configure
        (folder / "rabbitmq.conf").write_text(
            f"""
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
collect_statistics_interval = 1000
log.console = true
log.file = false
default_user = service
default_pass = {PASSWORD}
""",
            encoding="utf-8",
        )
        env = {
            "HOME": str(folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(mapper),
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_NODENAME": f"test-{port}@localhost",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
        # Erlang would start a port mapper that outlives it.
        command = f'epmd -port {mapper} -address 127.0.0.1 & exec "{program("rabbitmq-server", "rabbitmq-server")}"'
        super().__init__(folder, port, "/bin/sh", "-c", command, env=env)
        self._management = httpx.Client(
            base_url=f"http://127.0.0.1:{management}/api", auth=("service", PASSWORD), timeout=10, trust_env=False
        )
        self._hosts = 0

    def stop(self) -> None:
        if self._process:
            self.kill()

    def create_virtual_host(self) -> str:
        """The URL of an empty one."""
        self._hosts += 1
        name = f"service_{self._hosts}"
        self._management.put(f"/vhosts/{name}").raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._management.put(f"/permissions/{name}/service", json=everything).raise_for_status()
        return f"amqp://service:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{name}"

    def drop_virtual_host(self, url: str) -> None:
        self._management.delete(f"/vhosts/{url.rpartition('/')[2]}").raise_for_status()

    def queues(self, url: str) -> list[dict[str, Any]]:
        """What a virtual host's queues are: https://www.rabbitmq.com/docs/management#http-api"""
        found: list[dict[str, Any]] = self._management.get(f"/queues/{url.rpartition('/')[2]}").json()
        return found


@contextmanager
def redis() -> Iterator[Redis]:
    with folder() as place, started(Redis(place)) as server:
        yield server


@contextmanager
def memcached() -> Iterator[Memcached]:
    with folder() as place, started(Memcached(place)) as server:
        yield server


@contextmanager
def rabbitmq() -> Iterator[RabbitMQ]:
    with folder() as place, started(RabbitMQ(place)) as server:
        yield server
