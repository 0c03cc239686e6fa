"""Requests at a steady rate, whatever the server does, and what became of each."""

import asyncio
import hashlib
import itertools
import statistics
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import aiohttp

from tests.contract.client import Account

REQUESTS_A_SECOND = 200
# As many as a load balancer keeps open to one server.
CONNECTIONS = 128
# Of twenty requests: most read, some write.
MIX = (
    *("list", "show", "create", "list", "show", "list", "job", "list", "show", "export"),
    *("list", "show", "create", "list", "show", "list", "job", "list", "show", "create"),
)


@dataclass(frozen=True)
class Answer:
    """What became of one request. The status is 0 when the connection broke."""

    kind: str
    at: float
    seconds: float
    status: int

    @property
    def ended(self) -> float:
        return self.at + self.seconds


@dataclass
class Load:
    """The answers so far, and what the server has promised with them."""

    answers: list[Answer] = field(default_factory=list)
    # The paths of the items and jobs that were accepted; of items also the title.
    items: dict[str, str] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)

    def since(self, start: float, end: float | None = None) -> list[Answer]:
        """The answers to what was asked in this span of `time.monotonic()`."""
        return [answer for answer in self.answers if start <= answer.at < (end or float("inf"))]


def failed(answers: list[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.status == 0 or answer.status >= 500]


def p99(answers: list[Answer]) -> float:
    """In seconds."""
    return statistics.quantiles([answer.seconds for answer in answers], n=100)[98]


def body_of(title: str) -> str:
    """What an item with this title holds: half of it would be seen."""
    return hashlib.sha256(title.encode()).hexdigest() * 20


@contextmanager
def load(base_url: str, writer: Account, exporter: Account) -> Iterator[Load]:
    """Ask until the block ends; then wait for the last answers."""
    asked = Load()
    stop: list[bool] = []
    thread = Thread(target=lambda: asyncio.run(_ask(base_url, writer, exporter, asked, stop.__len__)))
    thread.start()
    try:
        yield asked
    finally:
        stop.append(True)
        thread.join()


async def _ask(base_url: str, writer: Account, exporter: Account, asked: Load, stopped: Callable[[], int]) -> None:
    # It keeps cookies, as a browser does: what it wrote it reads. httpx slows down with the number of open requests.
    connections = aiohttp.TCPConnector(limit=CONNECTIONS)
    session = aiohttp.ClientSession(
        base_url,
        connector=connections,
        cookie_jar=aiohttp.CookieJar(unsafe=True),
        timeout=aiohttp.ClientTimeout(total=20),
    )
    async with session:
        requests = _Requests(session, writer, exporter, asked)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if stopped():
                    break
                await asyncio.sleep(max(0, started + number / REQUESTS_A_SECOND - time.monotonic()))
                group.create_task(requests.make(MIX[number % len(MIX)]))


class _Requests:
    def __init__(self, session: aiohttp.ClientSession, writer: Account, exporter: Account, asked: Load) -> None:
        self.session = session
        self.writer = writer
        self.exporter = exporter
        self.asked = asked

    async def make(self, kind: str) -> None:
        at = time.monotonic()
        make: Callable[[], Coroutine[Any, Any, int]] = getattr(self, f"_{kind}")
        try:
            status = await make()
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.asked.answers.append(Answer(kind, at, time.monotonic() - at, status))

    async def _get(self, path: str, headers: Mapping[str, str] | None = None) -> int:
        async with self.session.get(path, headers=headers) as response:
            await response.read()
            return response.status

    async def _list(self) -> int:
        return await self._get("/api/v1/items")

    async def _show(self) -> int:
        return await self._get(next(reversed(self.asked.items), "/api/v1/items"))

    async def _job(self) -> int:
        return await self._get(self.asked.jobs[-1] if self.asked.jobs else "/api/v1/items", self.exporter.headers)

    async def _create(self) -> int:
        title = uuid.uuid4().hex
        item = {"title": title, "body": body_of(title)}
        async with self.session.post("/api/v1/items", json=item, headers=self.writer.headers) as response:
            await response.read()
            if response.status == 201:
                self.asked.items[response.headers["Location"]] = title
            return response.status

    async def _export(self) -> int:
        headers = self.exporter.headers | {"Idempotency-Key": uuid.uuid4().hex}
        async with self.session.post("/api/v1/exports", headers=headers) as response:
            await response.read()
            if response.status == 202:
                self.asked.jobs.append(response.headers["Location"])
            return response.status
