from typing import ClassVar

from tests.servers import Program
from tests.services import free_port


class Server(Program):
    """RabbitMQ, whose node and port mapper no other one shares."""

    program = "rabbitmq-server"
    packages: ClassVar = ("rabbitmq-server", "rabbitmq")
    # Debian's command on the PATH would run it as another user.
    folders = ("/usr/lib/rabbitmq/bin",)

    def __init__(self) -> None:
        super().__init__()
        self._ports = {"ERL_EPMD_PORT": str(free_port()), "RABBITMQ_DIST_PORT": str(free_port())}
        (self.folder / "plugins").write_text("[].", encoding="utf-8")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.console = true\nlog.file = false\n", encoding="utf-8"
        )

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        # Erlang would start a port mapper that outlives it.
        return ["/bin/sh", "-c", f'epmd -port $ERL_EPMD_PORT -address 127.0.0.1 & exec "{self.path()}"']

    # https://www.rabbitmq.com/docs/configure#supported-environment-variables
    def environment(self) -> dict[str, str]:
        return self._ports | {
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{self.folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/plugins",
            "RABBITMQ_LOG_BASE": f"{self.folder}/logs",
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/data",
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
