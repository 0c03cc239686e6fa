"""Processes of generated projects: started as a user would, stopped as an orchestrator would."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.baking import BakedProject, fresh_environment

START_SECONDS = 60
STOP_SECONDS = 30


def free_port() -> int:
    """One that stays free while a server is away: lower than those that systems give to clients."""
    while True:
        port = random.randrange(20_000, 32_768)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def eventually[T](probe: Callable[[], T | None], seconds: float = 10) -> T:
    """The probe's first true value; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {seconds} s")
        time.sleep(0.02)
    return value


def tree(pid: int) -> list[psutil.Process]:
    """A process and those that it has started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


@dataclass(frozen=True)
class Process:
    """A started process, the leader of a group of its own, and the file that its output goes to."""

    popen: subprocess.Popen[bytes]
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def terminate(self) -> None:
        """Send SIGTERM to this process alone, as a container's runtime does."""
        self.popen.terminate()

    def exit_code(self) -> int:
        try:
            return self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM:\n{self.log}") from None

    def group_is_alive(self) -> bool:
        self.popen.poll()
        try:
            os.killpg(self.popen.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        """Send SIGTERM to the whole group, as Ctrl-C's terminal would; every process of it must exit."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGTERM)
        try:
            eventually(lambda: not self.group_is_alive(), STOP_SECONDS)
        except AssertionError:
            os.killpg(self.popen.pid, signal.SIGKILL)
            raise AssertionError(f"still running {STOP_SECONDS} s after SIGTERM:\n{self.log}") from None


@contextmanager
def started(project: BakedProject, *command: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """Run a command of the project in the background, in an environment with nothing but these variables."""
    log_file = project.path.parent / f"{Path(command[-1]).stem}-{time.monotonic_ns()}.log"
    with log_file.open("wb") as log:
        popen = subprocess.Popen(
            command,
            cwd=project.path,
            env=fresh_environment(**(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(popen, log_file)
    try:
        yield process
    finally:
        process.stop()


@dataclass(frozen=True)
class Server:
    """A server that answers at `base_url`; its process, when these tests started it."""

    base_url: str
    process: Process | None = None


@contextmanager
def running(
    project: BakedProject,
    env: Mapping[str, str] | None = None,
    command: tuple[str, ...] = ("make", "run"),
    ready: str = "/health/ready",
) -> Iterator[Server]:
    """Serve the project on a free port until the block ends."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with started(project, *command, env={"PORT": str(port), **(env or {})}) as process:

        def answers() -> bool:
            assert process.alive, f"the server died:\n{process.log}"
            with suppress(httpx.TransportError):
                return httpx.get(base_url + ready, timeout=5, trust_env=False).status_code == 200
            return False

        try:
            eventually(answers, START_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{ready}: {error}\n{process.log}") from None
        yield Server(base_url, process)
