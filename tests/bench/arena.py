"""A project with its data and its servers, and what it is compared with, on the same data."""

import json
import os
import random
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.baking import BakedProject, bake
from tests.bench.wrk import Target
from tests.contract.client import Account, connect, sign_up
from tests.contract.place import Place, PostgreSQL
from tests.services import Redis, postgres, redis
from tests.serving import eventually, free_port, started

ACCOUNTS = 1_000
CONTESTANTS = Path(__file__).parent / "contestants"
STATEMENTS = """
    SELECT coalesce(sum(calls), 0) FROM pg_stat_statements
    WHERE query !~* '^(BEGIN|COMMIT|ROLLBACK|SET|DISCARD|SAVEPOINT|RELEASE|SELECT pg_stat_statements_reset)'
"""


@dataclass
class Arena:
    """A project beside its floor and a peer. Items are many, of some of the accounts."""

    framework: str
    project: BakedProject
    place: Place
    cache: Redis
    broker: Redis
    owner: Account
    ids: Path
    """A file of items' ids, in no order."""

    @property
    def token(self) -> str:
        return self.owner.headers["Authorization"].removeprefix("Bearer ")

    @contextmanager
    def ours(self, workers: int = 1) -> Iterator[Target]:
        with self.place.web(WEB_CONCURRENCY=str(workers)) as server:
            assert server.process
            yield Target(server.base_url, server.process.popen.pid)

    def floor(self, workers: int = 1) -> AbstractContextManager[Target]:
        return self._contestant("asgi_floor" if self.framework == "fastapi" else "wsgi_floor", workers)

    def alone(self, workers: int = 1) -> AbstractContextManager[Target]:
        return self._contestant(f"{self.framework}_alone", workers)

    def peer(self, workers: int = 1) -> AbstractContextManager[Target]:
        return self._contestant(f"{self.framework}_peer", workers)

    @contextmanager
    def _contestant(self, name: str, workers: int) -> Iterator[Target]:
        now = datetime.now(UTC)
        new = {"owner_id": self.owner.id, "created_at": now.isoformat()}
        job = {"kind": "export", "status": "pending", "attempts": 0, "due_at": (now + timedelta(days=1)).isoformat()}
        port = free_port()
        env = {
            "DATABASE_URL": self.place.database.url,
            "CACHE_URL": self.cache.url,
            "OWNER": self.owner.id,
            "TABLES": " ".join(self.place.table(column) for column in ("body", "email", "idempotency_key")),
            "NEW_ITEM": json.dumps(new | {"updated_at": now.isoformat()}),
            "NEW_JOB": json.dumps(new | job | ({"idempotency_key": ""} if self.framework == "django" else {})),
            "PORT": str(port),
            "WORKERS": str(workers),
        }
        script = str(CONTESTANTS / f"{name}.py")
        self.project.run("uv", "sync", "--quiet", "--script", script)
        address = f"http://127.0.0.1:{port}"
        run = ("uv", "run", "--quiet", "--script", script)
        with started(self.project, *run, env=env) as process, connect(address) as client:

            def answers() -> bool:
                assert process.alive, process.log
                with suppress(httpx.TransportError):
                    return client.get("/api/v1/items").status_code == 200
                return False

            try:
                eventually(answers, 30)
            except AssertionError as error:
                raise AssertionError(f"{name} does not answer:\n{process.log}") from error
            try:
                yield Target(address, process.popen.pid)
            finally:
                # How it stops is not what is measured.
                os.killpg(process.popen.pid, signal.SIGKILL)

    def flush(self) -> None:
        """Empty the cache."""
        _flush(self.cache)

    def forget_jobs(self) -> None:
        """So that no worker is busy with those that a measurement has asked for."""
        _flush(self.broker)
        self.place.database.execute(f'TRUNCATE "{self.place.table("idempotency_key")}"')

    def path(self, kind: str) -> str:
        """One that a GET of this kind asks for."""
        item = self.ids.read_text(encoding="utf-8").partition("\n")[0]
        return f"/api/v1/items?cursor={item}" if kind == "list" else f"/api/v1/items/{item}"

    def statements(self, target: Target, kind: str) -> float:
        """How many statements one such GET makes, transactions' begin and end not counted."""
        requests = 20
        with connect(target.address) as client:
            if kind == "detail cached":
                client.get(self.path(kind))
            self.place.database.execute("SELECT pg_stat_statements_reset()")
            for _ in range(requests):
                if kind == "detail cold":
                    self.flush()
                client.get(self.path(kind)).raise_for_status()
        ((calls,),) = self.place.database.execute(STATEMENTS)
        return float(calls) / requests

    def fill(self, items: int, owners: int = 100) -> None:
        """Hold exactly so many items, of so many accounts, of which the owner is one."""
        users, table, execute = self.place.table("email"), self.place.table("body"), self.place.database.execute
        execute(f'TRUNCATE "{table}"')
        execute(
            f'INSERT INTO "{table}" (id, title, body, owner_id, created_at, updated_at) '
            "SELECT ('01900000-' || lpad(to_hex(n / 65536), 4, '0') || '-7' || lpad(to_hex(mod(n, 4096)), 3, '0') ||"
            " '-8000-' || lpad(to_hex(n), 12, '0'))::uuid,"
            " 'Item ' || n, repeat('Two cups of tea. ', 12), o.id, now(), now() "
            f"FROM generate_series(1, {items}) n JOIN (SELECT id, row_number() OVER () AS number "
            f"FROM (SELECT id FROM \"{users}\" ORDER BY id <> '{self.owner.id}' LIMIT {owners}) chosen) o "
            f"ON o.number = 1 + mod(n, {owners})"
        )
        execute("ANALYZE")
        ids = [str(item) for (item,) in execute(f'SELECT id FROM "{table}" ORDER BY id OFFSET 100 LIMIT 100000')]
        random.Random(0).shuffle(ids)
        self.ids.write_text("\n".join(ids), encoding="utf-8")


def _flush(server: Redis) -> None:
    command = ["redis-cli", "--no-auth-warning", "-u", server.url, "FLUSHALL"]
    subprocess.run(command, capture_output=True, check=True)


@contextmanager
def arena(framework: str, scratch: Path, items: int, **answers: str) -> Iterator[Arena]:
    project = bake(scratch / "projects", framework=framework, **answers)
    project.run("make", "install")
    with ExitStack() as opened:
        server = opened.enter_context(postgres())
        server.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        # For the pools of all that run at once.
        server.execute("ALTER SYSTEM SET max_connections = 300")
        server.stop()
        server.start()
        cache, broker = opened.enter_context(redis()), opened.enter_context(redis())
        database = PostgreSQL(server)
        server.execute("CREATE EXTENSION pg_stat_statements", database.name)
        server.execute("GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO service", database.name)
        server.execute("GRANT pg_read_all_stats TO service", database.name)
        place = Place(project, scratch / framework, database, CACHE_URL=cache.url, BROKER_URL=broker.url)
        # As its users' users meet it: logs in JSON, no defaults of development.
        place.env |= {
            "ENVIRONMENT": "production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "127.0.0.1",
        }
        place.migrate()
        with place.web() as web, connect(web.base_url) as client:
            owner = sign_up(client)
        users = place.table("email")
        place.database.execute(
            f'INSERT INTO "{users}" SELECT (jsonb_populate_record(u, jsonb_build_object('
            f"'id', gen_random_uuid(), 'email', n || '@example.com'))).* "
            f'FROM "{users}" u, generate_series(1, {ACCOUNTS}) n'
        )
        made = Arena(framework, project, place, cache, broker, owner, scratch / f"{framework}-ids")
        made.fill(items)
        yield made
