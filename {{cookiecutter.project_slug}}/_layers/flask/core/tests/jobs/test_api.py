import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from app.environment import environment
from tests.conftest import Headers


def finished(client: FlaskClient, path: str, headers: Headers) -> dict[str, Any]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        job = client.get(path, headers=headers).get_json()
        if job["finished_at"]:
            return dict(job)
        time.sleep(0.01)
    raise TimeoutError(path)


def test_an_export(client: FlaskClient, headers: Headers, other_headers: Headers) -> None:
    mine = [
        client.post("/api/v1/items", json={"title": title, "body": "é"}, headers=headers).get_json() for title in "ab"
    ]
    client.post("/api/v1/items", json={"title": "c", "body": ""}, headers=other_headers)
    started = client.post("/api/v1/exports", headers=headers)
    assert started.status_code == 202
    assert started.get_json()["status"] in {"pending", "running", "succeeded"}
    job = finished(client, started.headers["Location"], headers)
    file = environment.export_dir / f"{job['id']}.jsonl"
    assert job.keys() == {"id", "kind", "status", "result", "created_at", "finished_at"}
    assert (job["kind"], job["status"]) == ("export", "succeeded")
    assert job["result"] == {"file": file.name, "items": 2, "bytes": file.stat().st_size}
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == mine


def test_the_same_key_gives_the_same_job(client: FlaskClient, headers: Headers, other_headers: Headers) -> None:
    def start(who: Headers, key: str) -> str:
        response = client.post("/api/v1/exports", headers=who | {"Idempotency-Key": key})
        assert response.status_code == 202
        return response.headers["Location"]

    assert start(headers, "a") == start(headers, "a")
    assert len({start(headers, "a"), start(headers, "b"), start(other_headers, "a")}) == 3
    for key in "ab":
        finished(client, start(headers, key), headers)


def test_a_race_with_one_key(app: APIFlask, headers: Headers) -> None:
    barrier = Barrier(4)

    def start(_: int) -> tuple[int, str]:
        barrier.wait()
        response = app.test_client().post("/api/v1/exports", headers=headers | {"Idempotency-Key": "once"})
        return response.status_code, response.headers["Location"]

    with ThreadPoolExecutor(4) as pool:
        ((status, path),) = set(pool.map(start, range(4)))
    assert status == 202
    finished(app.test_client(), path, headers)


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_bad_key(client: FlaskClient, headers: Headers, key: str) -> None:
    response = client.post("/api/v1/exports", headers=headers | {"Idempotency-Key": key})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json(force=True)["errors"]] == ["/header/Idempotency-Key"]


def test_who_may_look(client: FlaskClient, headers: Headers, other_headers: Headers) -> None:
    path = client.post("/api/v1/exports", headers=headers).headers["Location"]
    assert client.get(path).status_code == 401
    assert client.get(path, headers=other_headers).status_code == 404
    assert client.get(f"/api/v1/jobs/{uuid4()}", headers=headers).status_code == 404
    assert client.post("/api/v1/exports").status_code == 401
    finished(client, path, headers)
