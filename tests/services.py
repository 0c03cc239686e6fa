"""PostgreSQL and PgBouncer, started for the tests: on free ports, in folders that go with them, never anybody's own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import psutil
import psycopg
import pytest

from tests.serving import eventually, free_port

# Both programs refuse to run as root; PostgreSQL's package brings this user.
USER = "postgres" if os.geteuid() == 0 else None
# With characters that a URL holds only when they are percent-encoded.
PASSWORD = "s3cret/p@ss:word?100%"


def missing(program: str, package: str) -> NoReturn:
    """A machine without this program fails CI; a person is told how to get it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {program}: apt-get install {package}")


def program(name: str, package: str) -> Path:
    """Debian keeps both servers' programs off the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: -int(folder.parent.name))
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, versions), "/usr/sbin"]))
    return Path(found) if found else missing(name, package)


class Daemon:
    """A server program that can be frozen, killed and started again on the same port."""

    def __init__(self, folder: Path, port: int, *command: str | Path) -> None:
        self.folder = folder
        self.port = port
        self._command = command
        self._process: psutil.Popen | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = psutil.Popen(
                self._command, cwd=self.folder, user=USER, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        eventually(self.answers)

    def answers(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def stop(self) -> None:
        """Stop without waiting for clients."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """Kill every process of it, as a power failure would."""
        assert self._process
        processes = self._processes()
        for process in processes:
            process.suspend()
        for process in processes:
            process.kill()
        self._process.wait(10)
        eventually(lambda: all(map(_gone, processes)))
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that takes connections, because the kernel does, and never says a word."""
        processes = self._processes()
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def _processes(self) -> list[psutil.Process]:
        assert self._process
        return [psutil.Process(self._process.pid), *self._process.children(recursive=True)]


def _gone(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


class Postgres(Daemon):
    """A PostgreSQL server whose user `service` owns databases and is no superuser."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        data = folder / "data"
        subprocess.run(
            [
                *(program("initdb", "postgresql"), f"--pgdata={data}", "--username=postgres", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"),
            ],
            cwd=folder,
            user=USER,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        # A time zone that is not UTC shows who forgets to say which one is meant.
        settings = ("fsync=off", "full_page_writes=off", "timezone=Asia/Tokyo")
        options = (option for setting in settings for option in ("-c", setting))
        command = (program("postgres", "postgresql"), "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder)
        super().__init__(folder, port, *command, *options)
        self._databases = 0

    def start(self) -> None:
        super().start()
        if not self.execute("SELECT FROM pg_roles WHERE rolname = 'service'"):
            self.execute(f"CREATE ROLE service LOGIN PASSWORD '{PASSWORD}'")

    def answers(self) -> bool:
        """It accepts connections before it has recovered from a crash, but no queries."""
        if super().answers():
            with suppress(psycopg.OperationalError):
                return bool(self.execute("SELECT 1"))
        return False

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the superuser."""
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def url(self, database: str, user: str = "service") -> str:
        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """The name of a new database, with what this one holds."""
        self._databases += 1
        name = f"service_{self._databases}"
        self.execute(f'CREATE DATABASE {name} OWNER service TEMPLATE "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class PgBouncer(Daemon):
    """A connection pooler in transaction mode, with fewer connections than its clients have."""

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
def _folder() -> Iterator[Path]:
    # Not below pytest's folder, which only its own user may enter.
    with tempfile.TemporaryDirectory(prefix="service-") as name:
        if USER:
            shutil.chown(name, USER)
        yield Path(name)


@contextmanager
def _started[D: Daemon](daemon: D) -> Iterator[D]:
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


@contextmanager
def postgres() -> Iterator[Postgres]:
    program("initdb", "postgresql")
    with _folder() as folder, _started(Postgres(folder)) as server:
        yield server


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[PgBouncer]:
    with _folder() as folder, _started(PgBouncer(folder, server)) as pooler:
        yield pooler
