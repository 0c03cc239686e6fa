"""A server program for the tests: on free ports, in a folder that goes with it, never anybody's own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, NoReturn

import psutil
import pytest

from tests.serving import eventually

# Most of these programs refuse to run as root; PostgreSQL's package brings this user.
USER = "postgres" if os.geteuid() == 0 else None
# With characters that a URL holds only when they are percent-encoded.
PASSWORD = "s3cret/p@ss:word?100%"


def missing(program: str, package: str) -> NoReturn:
    """A machine without this program fails CI; a person is told how to get it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {program}: apt-get install {package}")


def program(name: str, package: str) -> Path:
    """Debian keeps these programs off the PATH, or puts commands there that run them as another user."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    folders = ["/usr/lib/rabbitmq/bin", os.environ["PATH"], *map(str, versions), "/usr/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else missing(name, package)


class Daemon:
    """A server program that can be frozen, killed and started again on the same port."""

    # How it is told to end without waiting for its clients.
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_seconds: ClassVar[float] = 10

    def __init__(self, folder: Path, port: int, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.port = port
        self._command = command
        self._env = os.environ | (env or {})
        self._process: psutil.Popen | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = psutil.Popen(
                self._command,
                cwd=self.folder,
                env=self._env,
                user=USER,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self.answers, self.start_seconds)

    def answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def stop(self) -> None:
        """Stop without waiting for clients."""
        if self._process:
            self._process.send_signal(self.stop_signal)
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """Kill every process of it, as a power failure would."""
        processes = self._suspended()
        for process in processes:
            process.kill()
        assert self._process
        self._process.wait(10)
        eventually(lambda: all(map(_gone, processes)))
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that takes connections, because the kernel does, and never says a word."""
        processes = self._suspended()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def _suspended(self) -> list[psutil.Process]:
        """Every process of it, suspended: the first one before it can start another."""
        assert self._process
        processes = []
        first = psutil.Process(self._process.pid)
        first.suspend()
        for process in first.children(recursive=True):
            # Some end by themselves, such as PostgreSQL's autovacuum.
            with suppress(psutil.NoSuchProcess):
                process.suspend()
                processes.append(process)
        return [first, *processes]


def _gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


@contextmanager
def folder() -> Iterator[Path]:
    # Not below pytest's folder, which only its own user may enter.
    with tempfile.TemporaryDirectory(prefix="service-") as name:
        if USER:
            shutil.chown(name, USER)
        yield Path(name)


@contextmanager
def started[D: Daemon](daemon: D) -> Iterator[D]:
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()
