"""The processes as they are started in production."""

import asyncio
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
from sqlalchemy import text

from app.database import writing
from app.environment import BASE_DIR
from tests.conftest import on_postgresql

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


@on_postgresql
async def test_migrations_wait_for_each_other(database: None) -> None:
    locked = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    async with writing() as session:
        # Whoever migrates gets no further than to this table, and has locked out all others by then.
        await session.execute(text("LOCK TABLE alembic_version"))
        with started("migrate") as process:
            for _ in range(100):
                if await session.scalar(locked):
                    break
                await asyncio.sleep(0.1)
            assert await session.scalar(locked)
            assert process.poll() is None
            await session.rollback()
            assert process.wait(10) == 0


@pytest.mark.parametrize("arguments", [(), ("serve",)])
def test_an_unknown_process_is_refused(arguments: tuple[str, ...]) -> None:
    with started(*arguments) as process:
        assert process.wait(10) == 2
        assert "usage" in (process.stdout or sys.stdin).read()
