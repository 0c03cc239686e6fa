# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "argon2-cffi~=25.1",
#   "granian~=2.8.7",
#   "orjson~=3.13",
#   "psycopg[binary,pool]~=3.3.9",
#   "redis[hiredis]~=8.1",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""The least that a WSGI process can do for the same answers: no framework, no validation, one statement each."""

import os
import re
import uuid
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from argon2 import PasswordHasher
from granian import Granian
from granian.constants import Interfaces
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from redis import Redis

ITEMS, USERS, JOBS = os.environ["TABLES"].split()
LIST = f"""
    SELECT i.id, i.title, i.body, i.created_at, i.updated_at, u.id AS owner_id, u.name AS owner_name
    FROM {ITEMS} i JOIN {USERS} u ON u.id = i.owner_id WHERE i.id < %s ORDER BY i.id DESC LIMIT 21
"""
SHOW = LIST.replace("i.id < %s ORDER BY i.id DESC LIMIT 21", "i.id = %s")
PASSWORD = f"SELECT password AS hash FROM {USERS} WHERE email = %s"
hasher = PasswordHasher()
redis = Redis.from_url(os.environ["CACHE_URL"])

type Start = Callable[[str, list[tuple[str, str]]], object]


@cache
def pool() -> ConnectionPool:
    """Made by the process that serves: what the one before it has opened, and its threads, do not survive the fork."""
    options = {"autocommit": True, "row_factory": dict_row}
    return ConnectionPool(os.environ["DATABASE_URL"], min_size=4, max_size=20, kwargs=options)


def rows(statement: str, *values: object) -> list[dict[str, Any]]:
    with pool().connection() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def item(row: dict[str, Any]) -> dict[str, Any]:
    row["owner"] = {"id": row.pop("owner_id"), "name": row.pop("owner_name")}
    return row


def page(cursor: str | None) -> bytes:
    found = [item(row) for row in rows(LIST, cursor or "ffffffff-ffff-ffff-ffff-ffffffffffff")]
    return orjson.dumps({"items": found[:20], "next_cursor": found[19]["id"]})


def show(path: str) -> bytes:
    key = f"floor:{path}"
    cached = redis.get(key)
    if isinstance(cached, bytes):
        return cached
    body = orjson.dumps(item(rows(SHOW, path.rpartition("/")[2])[0]))
    redis.set(key, body, ex=60)
    return body


def stored_hash(email: str) -> str:
    # Django writes the algorithm's name before the hash.
    return str(rows(PASSWORD, email)[0]["hash"]).removeprefix("argon2")


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    status = "200 OK"
    if path == "/api/v1/items" and method == "GET":
        cursor = re.search("cursor=([^&]+)", environ["QUERY_STRING"])
        body = page(cursor[1] if cursor else None)
    elif path.startswith("/api/v1/items/"):
        body = show(path)
    elif path == "/health/live":
        body = orjson.dumps({"status": "ok"})
    elif path.endswith("/tokens"):
        given = orjson.loads(environ["wsgi.input"].read())
        body = orjson.dumps({"right": hasher.verify(stored_hash(given["email"]), given["password"])})
    else:
        status = "201 Created"
        table, fields = (ITEMS, orjson.loads(environ["wsgi.input"].read())) if path.endswith("/items") else (JOBS, {})
        new = (
            orjson.loads(os.environ[f"NEW_{'ITEM' if table == ITEMS else 'JOB'}"]) | fields | {"id": str(uuid.uuid4())}
        )
        names = ", ".join(new)
        marks = ", ".join(["%s"] * len(new))
        with pool().connection() as connection:
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})".encode(), list(new.values()))
        body = orjson.dumps(new)
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def serve(name: str) -> None:
    """Serve the `application` of the module."""
    Granian(
        f"{name}:application",
        interface=Interfaces.WSGI,
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WORKERS"]),
        blocking_threads=4,
        websockets=False,
        log_enabled=False,
    ).serve()


if __name__ == "__main__":
    serve(Path(__file__).stem)
