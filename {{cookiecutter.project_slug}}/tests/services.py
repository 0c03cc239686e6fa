"""The database server of the tests: a PostgreSQL of their own, where its programs are installed."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit


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
    if programs := _programs():
        return _start(programs)
    # At the end, because pytest swallows what is written while it starts.
    install = "brew install postgresql" if sys.platform == "darwin" else "apt-get install postgresql"
    atexit.register(print, f"Tested on SQLite. To test on PostgreSQL too: {install}", file=sys.stderr)
    return None


def _programs() -> Path | None:
    """The folder of the server's programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return Path(found).resolve().parent if found else versions[-1] if versions else None


def _start(programs: Path) -> str:
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

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    data = f"--pgdata={folder}/data"
    # https://www.postgresql.org/docs/current/non-durability.html
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    run("initdb", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run("pg_ctl", "start", data, "--wait", f"--log={folder}/log", f"--options={options}")
    atexit.register(run, "pg_ctl", "stop", data, "--mode=immediate")
    run("createdb", "--host=127.0.0.1", f"--port={port}", "--username=postgres", "test")
    return f"postgresql://postgres@127.0.0.1:{port}/test"
