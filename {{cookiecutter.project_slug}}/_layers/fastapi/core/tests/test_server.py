"""The processes as they are started in production."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.environment import BASE_DIR

PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603
        ["./entrypoint", *arguments],
        cwd=BASE_DIR,
        env=os.environ | {"PATH": PATH} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        yield process
        process.kill()


def test_web_answers_and_stops_cleanly(database: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with started("web", PORT=str(port)) as process:
        assert any("Application startup complete" in line for line in process.stdout or ())
        assert httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("arguments", [(), ("serve",)])
def test_an_unknown_process_is_refused(arguments: tuple[str, ...]) -> None:
    with started(*arguments) as process:
        assert process.wait(10) == 2
        assert "usage" in (process.stdout or sys.stdin).read()
