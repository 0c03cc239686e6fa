"""The servers of the tests: of their own, where their programs are installed."""

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

# Read here, because the application reads its environment as soon as it is imported.
_PYPROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))


def database_url() -> str | None:
    """The PostgreSQL database to test on; none means SQLite.

    TEST_DATABASE_URL names one that exists; `sqlite` asks for none.
    """
    url = os.environ.get("TEST_DATABASE_URL")
    if url == "sqlite":
        return None
    if url:
        if "test" not in urlsplit(url).path:
            sys.exit('TEST_DATABASE_URL must name a database with "test" in its name: the tests empty it.')
        return url
    if programs := postgresql_programs():
        return start_postgresql(programs)
    _say_at_the_end("Tested on SQLite. To test on PostgreSQL too", "postgresql", "postgresql")
    return None


def server_url(setting: str) -> str | None:
    """The server to test with for `cache_url` or `broker_url`; none means inside the process.

    TEST_CACHE_URL and TEST_BROKER_URL name one that exists and that the tests may empty; `none` asks for none.
    """
    schemes = _PYPROJECT["tool"]["app"]["schemes"][setting]
    url = os.environ.get(f"TEST_{setting.upper()}")
    if not schemes or url == "none":
        return None
    if url:
        return url
    # The module of the chosen server is the only one that is there.
    server = import_module(f"tests.servers.{schemes[0]}").Server
    if server.path():
        server.started[setting] = server().start()
        return str(server.started[setting].url)
    _say_at_the_end(f"Tested without {setting.upper()}. To test with it too", *server.packages)
    return None


def free_port() -> int:
    """One that stays free while a server is away: lower than those that systems give to clients."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def _say_at_the_end(what: str, debian: str, homebrew: str) -> None:
    """Because pytest swallows what is written while it starts, to `sys.stderr` of that time."""
    install = f"brew install {homebrew}" if sys.platform == "darwin" else f"apt-get install {debian}"
    atexit.register(print, f"{what}: {install}", file=sys.__stderr__)


def postgresql_programs() -> Path | None:
    """The folder of the server's programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return Path(found).resolve().parent if found else versions[-1] if versions else None


def start_postgresql(programs: Path) -> str:
    """Start a server that lives as long as the tests, in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [programs / program, *arguments], cwd=folder, user=user, stdout=subprocess.DEVNULL, check=True
        )

    port = free_port()
    data = f"--pgdata={folder}/data"
    # https://www.postgresql.org/docs/current/non-durability.html
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    run("initdb", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run("pg_ctl", "start", data, "--wait", f"--log={folder}/log", f"--options={options}")
    atexit.register(run, "pg_ctl", "stop", data, "--mode=immediate")
    run("createdb", "--host=127.0.0.1", f"--port={port}", "--username=postgres", "test")
    return f"postgresql://postgres@127.0.0.1:{port}/test"
