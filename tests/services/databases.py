"""PostgreSQL, with standbys and with PgBouncer."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg

from tests.services.daemon import PASSWORD, USER, Daemon, folder, program, started
from tests.serving import eventually, free_port

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    # A time zone that is not UTC shows who forgets to say which one is meant.
    "timezone": "Asia/Tokyo",
    # A standby that was away finds what it missed, and looks for it at once.
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "100ms",
    "wal_receiver_timeout": "5s",
}


class Cluster(Daemon):
    """The folder `data`, served."""

    stop_signal = signal.SIGQUIT

    def __init__(self, folder: Path) -> None:
        port = free_port()
        options = (option for setting in SETTINGS.items() for option in ("-c", "=".join(setting)))
        command = ("-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder)
        super().__init__(folder, port, program("postgres", "postgresql"), *command, *options)

    def answers(self) -> bool:
        """It accepts connections before it has recovered from a crash, but no queries."""
        if super().answers():
            with suppress(psycopg.OperationalError):
                return bool(self.execute("SELECT 1"))
        return False

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(self.url(database, "postgres"), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def url(self, database: str, user: str = "service") -> str:
        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"


class Postgres(Cluster):
    """A PostgreSQL server whose user `service` owns databases and is no superuser."""

    def __init__(self, folder: Path) -> None:
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        initdb = (program("initdb", "postgresql"), f"--pgdata={folder}/data", "--username=postgres")
        options = (f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync")
        subprocess.run([*initdb, *options], cwd=folder, user=USER, stdout=subprocess.DEVNULL, check=True)
        super().__init__(folder)
        self._databases = 0

    def start(self) -> None:
        super().start()
        if not self.execute("SELECT FROM pg_roles WHERE rolname = 'service'"):
            self.execute(f"CREATE ROLE service LOGIN PASSWORD '{PASSWORD}'")

    def create_database(self, template: str = "template1") -> str:
        """The name of a new database, with what this one holds."""
        self._databases += 1
        name = f"service_{self._databases}"
        self.execute(f'CREATE DATABASE {name} OWNER service TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Standby(Cluster):
    """A streaming standby, which may be read from and which may be behind."""

    def __init__(self, folder: Path, primary: Postgres) -> None:
        copy = (program("pg_basebackup", "postgresql"), f"--pgdata={folder}/data", "--host=127.0.0.1", "--no-sync")
        options = (f"--port={primary.port}", "--username=postgres", "--checkpoint=fast", "--write-recovery-conf")
        env = os.environ | {"PGPASSWORD": PASSWORD}
        subprocess.run([*copy, *options], cwd=folder, env=env, user=USER, stdout=subprocess.DEVNULL, check=True)
        super().__init__(folder)
        self._primary = primary

    def caught_up(self) -> bool:
        """Whether it shows everything that the primary has written until now."""
        ((written,),) = self._primary.execute("SELECT pg_current_wal_lsn()")
        return self.execute(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == [(True,)]

    @contextmanager
    def behind(self, seconds: int = 3600) -> Iterator[None]:
        """What the primary writes is shown so much later; when the block ends, at once."""
        self._set_delay(seconds)
        try:
            yield
        finally:
            self._set_delay(0)
            eventually(self.caught_up)

    def _set_delay(self, seconds: int) -> None:
        self.execute(f"ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'")
        self.execute("SELECT pg_reload_conf()")


class Replicated(NamedTuple):
    primary: Postgres
    standbys: list[Standby]

    def caught_up(self) -> None:
        """Wait until every standby shows what the primary has written."""
        for standby in self.standbys:
            eventually(standby.caught_up)


class PgBouncer(Daemon):
    """A connection pooler in transaction mode, with fewer connections than its clients have."""

    stop_signal = signal.SIGQUIT

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        port = free_port()
        users = folder / "users.txt"
        users.write_text(f'"service" "{PASSWORD}"\n', encoding="utf-8")
        # https://www.pgbouncer.org/config.html
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            f"""
[databases]
* = host=127.0.0.1 port={postgres.port} connect_query='SET statement_timeout = 3000'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = 4
ignore_startup_parameters = extra_float_digits,options,statement_timeout
""",
            encoding="utf-8",
        )
        super().__init__(folder, port, program("pgbouncer", "pgbouncer"), settings)

    def url(self, database: str) -> str:
        return f"postgresql://service:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    program("initdb", "postgresql")
    with folder() as place, started(Postgres(place)) as server:
        yield server


@contextmanager
def primary_with_standbys(count: int = 2) -> Iterator[Replicated]:
    """A PostgreSQL server and standbys that stream from it."""
    with ExitStack() as stack:
        primary = stack.enter_context(postgres())
        places = [stack.enter_context(folder()) for _ in range(count)]
        yield Replicated(primary, [stack.enter_context(started(Standby(place, primary))) for place in places])


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[PgBouncer]:
    with folder() as place, started(PgBouncer(place, server)) as pooler:
        yield pooler
