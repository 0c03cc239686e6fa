"""A real worker, where there is a broker. Without one the tests' own process runs the jobs."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from apiflask import APIFlask

from app.environment import BASE_DIR, PROJECT, environment
from tests import FOLDER


class Process:
    """`./entrypoint worker` or `./entrypoint beat`, with everything that it starts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._heartbeat = Path(FOLDER) / f"{PROJECT['name']}-{name}.heartbeat"

    def start(self) -> None:
        self._heartbeat.unlink(missing_ok=True)
        with Path(FOLDER, f"{self._name}.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                ["./entrypoint", self._name],
                cwd=BASE_DIR,
                env=os.environ | {"TMPDIR": FOLDER},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 30
        while not self._heartbeat.exists():
            assert time.monotonic() < deadline, f"{log.name} says why it does not start"
            time.sleep(0.02)

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """The exit status."""
        self._process.terminate()
        return self._process.wait(30)

    def children(self) -> list[int]:
        """The processes that run the jobs."""
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="session")
def running(app: APIFlask) -> Iterator[Process | None]:
    if environment.broker_url is None:
        yield None
        return
    process = Process("worker")
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture(autouse=True)
def _worker(running: Process | None) -> None:
    """Every test of jobs needs it."""


@pytest.fixture
def worker(running: Process | None) -> Process:
    if running is None:
        pytest.skip("needs a broker")
    return running
