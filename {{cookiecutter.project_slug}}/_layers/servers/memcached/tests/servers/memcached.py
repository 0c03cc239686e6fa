import getpass
from typing import ClassVar

from tests.servers import Program


class Server(Program):
    program = "memcached"
    packages: ClassVar = ("memcached", "memcached")

    @property
    def url(self) -> str:
        return f"memcached://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        # Root has to say that it means itself.
        return [self.path(), "--listen=127.0.0.1", f"--port={self.port}", f"--user={getpass.getuser()}"]
