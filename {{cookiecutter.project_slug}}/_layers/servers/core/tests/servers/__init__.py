"""Servers of the tests' own: on free ports of this machine, in folders that go with them."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Self

from tests.services import free_port


class Program(ABC):
    """A server that can be frozen, killed and started again on the same port. It lives as long as the tests."""

    program: ClassVar[str]
    # What holds it, for `apt-get install` and for `brew install`.
    packages: ClassVar[tuple[str, str]]
    # Where else it may be than on the PATH.
    folders: ClassVar[tuple[str, ...]] = ()
    # Those that the tests themselves run on, by the settings that name them.
    started: ClassVar[dict[str, "Program"]] = {}

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.program}-"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        atexit.register(self.kill)

    @classmethod
    def path(cls) -> str:
        """Where it is installed; empty when it is not."""
        return shutil.which(cls.program, path=os.pathsep.join([*cls.folders, os.environ["PATH"]])) or ""

    @property
    @abstractmethod
    def url(self) -> str:
        """As the service is told it."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    def environment(self) -> dict[str, str]:
        return {}

    def start(self) -> Self:
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                self.command(),
                cwd=self.folder,
                env=os.environ | self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.program} does not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """Kill every process of it, as a power failure would."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @contextmanager
    def killed(self) -> Iterator[None]:
        """A server that is gone, and comes back with nothing."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that takes connections, because the kernel does, and never says a word."""
        assert self._process
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False
