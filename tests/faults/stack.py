"""A project with every process and every server that it needs, each of which may die."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.baking import BakedProject
from tests.contract.client import Account, connect, create_item, sign_up
from tests.contract.place import Place, PostgreSQL
from tests.contract.variants import Variant
from tests.faults.load import REQUESTS_A_SECOND, load, p99
from tests.services import Daemon, RabbitMQ, Redis, Replicated, memcached, primary_with_standbys, rabbitmq, redis
from tests.serving import Process, Server, eventually, started, tree

WEB_PROCESSES = 2
ITEMS_TO_EXPORT = 3
WARM_UP_SECONDS = 60


@dataclass
class Stack:
    variant: Variant
    place: Place
    databases: Replicated
    cache: Daemon
    broker: Daemon
    server: Server
    writer: Account
    exporter: Account
    opened: ExitStack
    # The worker and the beat that run now.
    processes: dict[str, Process] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a process beside the web server."""
        process = started(self.place.project, "./entrypoint", name, env=self.place.env)
        self.processes[name] = self.opened.enter_context(process)

    def job_statuses(self, paths: list[str]) -> dict[str, str]:
        """The status of each of these jobs, which must be there."""
        table = self.place.table("idempotency_key")
        found = {str(job): status for job, status in self.place.database.execute(f'SELECT id, status FROM "{table}"')}
        return {path: found[path.rpartition("/")[2]] for path in paths}

    def items(self) -> dict[str, tuple[str, str]]:
        """The title and the body of each item of the writer."""
        table = self.place.table("body")
        statement = f'SELECT id, title, body FROM "{table}" WHERE owner_id = %s'
        rows = self.place.database.execute(statement, self.writer.id)
        return {f"/api/v1/items/{item}": (title, body) for item, title, body in rows}

    def exported(self, path: str) -> int:
        """How many items a job's file holds."""
        file = self.place.exports / f"{path.rpartition('/')[2]}.jsonl"
        return len(file.read_bytes().splitlines())

    @contextmanager
    def logged_statements(self) -> Iterator[Callable[[str], int]]:
        """Tells how many statements, on any of the servers, named an id since the block began."""
        servers = [self.databases.primary, *self.databases.standbys]
        logs = [server.folder / "log" for server in servers]
        for server in servers:
            server.execute("ALTER SYSTEM SET log_statement = 'all'")
            server.execute("SELECT pg_reload_conf()")
            eventually(lambda server=server: server.execute("SHOW log_statement") == [("all",)])  # type: ignore[misc]
        sizes = [log.stat().st_size for log in logs]
        try:
            # Some drivers write an id without its hyphens.
            yield lambda identifier: sum(
                len(re.findall(identifier.replace("-", "-?").encode(), log.read_bytes()[size:]))
                for log, size in zip(logs, sizes, strict=True)
            )
        finally:
            for server in servers:
                server.execute("ALTER SYSTEM RESET log_statement")
                server.execute("SELECT pg_reload_conf()")

    def web_process(self) -> psutil.Process:
        """One of the processes that serve."""
        assert self.server.process
        _, *children = tree(self.server.process.popen.pid)
        return next(child for child in children if "resource_tracker" not in " ".join(child.cmdline()))


def kill(process: Process) -> None:
    """Kill a process and those that it has started, as the death of their container would."""
    for one in tree(process.popen.pid):
        one.kill()
    process.popen.wait(10)
    eventually(lambda: not process.group_is_alive())


@contextmanager
def stack(project: BakedProject, variant: Variant, folder: Path) -> Iterator[Stack]:
    with ExitStack() as opened:
        databases = opened.enter_context(primary_with_standbys(2))
        cache = opened.enter_context(redis()) if variant.cache == "redis" else opened.enter_context(memcached())
        broker: Redis | RabbitMQ
        if variant.queue == "celery-redis":
            broker = opened.enter_context(redis())
            broker_url = broker.url
        else:
            broker = opened.enter_context(rabbitmq())
            broker_url = broker.create_virtual_host()
        database = PostgreSQL(databases.primary)
        databases.caught_up()
        place = Place(
            project,
            folder,
            database,
            DATABASE_REPLICA_URLS=",".join(standby.url(database.name) for standby in databases.standbys),
            CACHE_URL=cache.url,
            BROKER_URL=broker_url,
        )
        place.migrate()
        server = opened.enter_context(place.web(WEB_CONCURRENCY=str(WEB_PROCESSES)))
        with connect(server.base_url) as client:
            writer, exporter = sign_up(client), sign_up(client)
            for _ in range(ITEMS_TO_EXPORT):
                create_item(client, exporter)
        all_of_it = Stack(variant, place, databases, cache, broker, server, writer, exporter, opened)
        all_of_it.start("worker")
        all_of_it.start("beat")
        warm_up(all_of_it)
        yield all_of_it


def warm_up(stack: Stack) -> None:
    """What failed first would else be blamed for processes that still start."""
    with load(stack.server.base_url, stack.writer, stack.exporter) as asked:
        for _ in range(WARM_UP_SECONDS):
            time.sleep(1)
            if len(recent := asked.since(time.monotonic() - 3)) > REQUESTS_A_SECOND and p99(recent) < 0.1:
                return
    pytest.fail(f"not settled after {WARM_UP_SECONDS} s")
