"""The least that a process can do for the same answers: the same server and driver, one statement, no framework."""

import os
import threading
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
import psycopg
from granian import Granian
from granian.constants import Interfaces
from psycopg.rows import dict_row

from bench.queries import ITEM, LIST

thread = threading.local()


def rows(query: str, item_id: str) -> list[dict[str, Any]]:
    if not hasattr(thread, "connection"):
        thread.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
    found: list[dict[str, Any]] = thread.connection.execute(query, [item_id]).fetchall()
    for row in found:
        row["owner"] = {"id": row.pop("owner_id"), "name": row.pop("owner_name")}
    return found


def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    answer: dict[str, Any] = {"status": "ok"}
    if query:
        items = rows(LIST, query.removeprefix("cursor="))
        answer = {"items": items[:20], "next_cursor": items[19]["id"]}
    elif path.startswith("/api/v1/items/"):
        (answer,) = rows(ITEM, path.rpartition("/")[2])
    body = orjson.dumps(answer)
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    Granian(
        "bench.floor:application",
        interface=Interfaces.WSGI,
        port=int(os.environ["PORT"]),
        blocking_threads=4,
        websockets=False,
        log_enabled=False,
    ).serve()
