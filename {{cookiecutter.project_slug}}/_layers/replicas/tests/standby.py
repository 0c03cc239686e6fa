"""A replica of its own for the tests: https://www.postgresql.org/docs/current/app-pgbasebackup.html"""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


class Standby:
    def __init__(self, programs: Path, primary: str) -> None:
        self._programs = programs
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="standby-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/test"
        self._data = f"--pgdata={self._folder}/data"
        copy = (f"--dbname={primary}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync")
        self._run("pg_basebackup", self._data, *copy)
        self.start()

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off -c wal_retrieve_retry_interval=100ms"
        self._run("pg_ctl", "start", self._data, "--wait", f"--log={self._folder}/log", f"--options={options}")

    def stop(self) -> None:
        self._run("pg_ctl", "stop", self._data, "--mode=immediate")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def ask(self, statement: str, url: str = "") -> str:
        """The first value that the replica, or another server, answers."""
        options = ("--no-psqlrc", "--tuples-only", "--no-align", f"--command={statement}", url or self.url)
        return subprocess.check_output([self._programs / "psql", *options], text=True).strip()  # noqa: S603

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [self._programs / program, *arguments],
            cwd=self._folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            check=True,
        )
