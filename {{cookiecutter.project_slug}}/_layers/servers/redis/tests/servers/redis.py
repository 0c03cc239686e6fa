from typing import ClassVar

from tests.servers import Program


class Server(Program):
    program = "redis-server"
    packages: ClassVar = ("redis-server", "redis")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        # Without --save it would write what it holds into a file.
        return [self.path(), "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
