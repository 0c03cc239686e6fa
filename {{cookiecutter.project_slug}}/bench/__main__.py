"""How fast this project answers, beside a bare server that asks the same database for the same: `make bench`.

docs/performance.md tells how to read the table.
"""

import json
import os
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from app.environment import SCHEMES
from tests.services import free_port

ITEMS = 1_000
CONNECTIONS = 32
ROUNDS = 3
START_SECONDS = 60
SCRIPT = Path(__file__).with_name("paths.lua")
PASSWORD = secrets.token_urlsafe()


class Speed(NamedTuple):
    """Answers a second, and in how many milliseconds half and 99 of 100 came."""

    per_second: float
    p50: float
    p99: float


def stop(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(2)


def check() -> None:
    """Exit if a program or a server is missing: the tests say in their environment which servers there are."""
    if not shutil.which("wrk"):
        stop("wrk asks the questions, and is not installed: apt-get install wrk (macOS: brew install wrk)")
    if os.environ["DATABASE_URL"].startswith("sqlite:"):
        stop("This needs a PostgreSQL to measure with: SQLite tells nothing about it.")
    for name in (name.upper() for name, schemes in SCHEMES.items() if schemes and name.endswith("_url")):
        if not os.environ[name]:
            stop(f"This needs a server for {name}.")


@contextmanager
def serving(folder: Path, *command: str, env: dict[str, str]) -> Iterator[int]:
    """The port on which the command answers."""
    port = free_port()
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=env | {"PORT": str(port)}, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                stop(f"{' '.join(command)} does not answer:\n{log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.05)
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def answers(port: int) -> bool:
    with suppress(OSError):
        return ask(HTTPConnection("127.0.0.1", port), "GET", "/health/live")[0] == 200
    return False


def ask(connection: HTTPConnection, method: str, path: str, body: object = None, token: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    return answer.status, json.load(answer)


def fill(port: int) -> list[str]:
    """Make items through the API. Returns their ids, the newest first."""
    connection = HTTPConnection("127.0.0.1", port)

    def create(path: str, body: object, token: str = "") -> Any:  # noqa: ANN401
        status, made = ask(connection, "POST", f"/api/v1/{path}", body, token)
        if status not in {200, 201}:
            stop(f"POST /api/v1/{path} answers {status}: {made}")
        return made

    account = {"email": f"{secrets.token_hex(8)}@example.com", "password": PASSWORD}
    create("users", account | {"name": "Ada"})
    token = create("tokens", account)["access_token"]
    item = {"title": "Tea", "body": "Two cups of tea. " * 12}
    return [create("items", item, token)["id"] for _ in range(ITEMS)][::-1]


def measure(port: int, paths: Path, seconds: int) -> Speed:
    options = (f"-c{CONNECTIONS}", "-t1", f"-d{seconds}s", "--latency", "-s", str(SCRIPT))
    # https://github.com/wg/wrk
    command = ["wrk", *options, f"http://127.0.0.1:{port}", "--", str(paths)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seen = json.loads(output.splitlines()[-1])
    if seen["failed"] or not seen["answers"]:
        stop(f"The run is void: {seen['failed']} requests failed, and {seen['answers']} were answered.")
    return Speed(seen["answers"] / seen["seconds"], seen["p50"], seen["p99"])


def median(speeds: Iterable[Speed]) -> Speed:
    return Speed(*map(statistics.median, zip(*speeds, strict=True)))


def main() -> None:
    parser = ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=int, default=2, help="how long each of the rounds takes")
    seconds: int = parser.parse_args().seconds
    check()
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        folder = Path(name)
        settings = {
            "ENVIRONMENT": "production",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ALLOWED_HOSTS": "127.0.0.1",
            "EXPORT_DIR": f"{folder}/exports",
        }
        env = os.environ | settings
        subprocess.run(["./entrypoint", "migrate"], env=env, stdout=subprocess.DEVNULL, check=True)
        project = opened.enter_context(serving(folder, "./entrypoint", "web", env=env))
        floor = opened.enter_context(serving(folder, sys.executable, "-m", "bench.floor", env=env))
        ids = fill(project)
        asked = {
            # There are pages after them.
            "list": [f"/api/v1/items?cursor={item}" for item in ids[:-100]],
            "item": [f"/api/v1/items/{item}" for item in ids[:50]],
            "health": ["/health/live"],
        }
        heading = f"{'requests a second':<18}{'project':>9}{'floor':>9}{'share':>8}{'p50 ms':>9}{'p99 ms':>9}"
        print(f"{heading}{'floor p99':>11}")
        for kind, paths in asked.items():
            file = folder / kind
            file.write_text("\n".join(paths), encoding="utf-8")
            # In turn, so that a noisy moment does not fall on one of them alone.
            rounds = [(measure(project, file, seconds), measure(floor, file, seconds)) for _ in range(ROUNDS)]
            ours, least = map(median, zip(*rounds, strict=True))
            share = ours.per_second / least.per_second
            print(
                f"{kind:<18}{ours.per_second:>9,.0f}{least.per_second:>9,.0f}{share:>8.0%}{ours.p50:>9.1f}{ours.p99:>9.1f}"
                f"{least.p99:>11.1f}"
            )


if __name__ == "__main__":
    main()
