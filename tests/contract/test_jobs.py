"""Exports run in the background; a job tells how far one is."""

import json
import uuid
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.baking import BakedProject
from tests.contract.client import Account, Json, assert_problem, create_item, sign_up, together
from tests.serving import Server, eventually

EXPORTS = "/api/v1/exports"


def export(client: httpx.Client, owner: Account, key: str | None = None) -> Json:
    headers = owner.headers | ({} if key is None else {"Idempotency-Key": key})
    response = client.post(EXPORTS, headers=headers)
    assert response.status_code == 202, response.text
    job: Json = response.json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    return job


def finished(client: httpx.Client, owner: Account, job: Json) -> Json:
    def probe() -> Json | None:
        shown: Json = client.get(f"/api/v1/jobs/{job['id']}", headers=owner.headers).json()
        return shown if shown["finished_at"] else None

    # A worker may just be starting.
    return eventually(probe, seconds=30)


def test_an_export_is_accepted_and_runs(client: httpx.Client) -> None:
    owner = sign_up(client)
    for number in range(3):
        create_item(client, owner, title=f"Tea {number}")
    job = export(client, owner)
    assert job.keys() == {"id", "kind", "status", "result", "created_at", "finished_at"}
    assert uuid.UUID(job["id"]).version == 7
    assert job["kind"] == "export"
    assert job["status"] in {"pending", "running", "succeeded"}
    done = finished(client, owner, job)
    assert done["status"] == "succeeded"
    assert done["result"].keys() == {"file", "items", "bytes"}
    assert (done["result"]["file"], done["result"]["items"]) == (f"{job['id']}.jsonl", 3)
    assert datetime.fromisoformat(done["created_at"]) <= datetime.fromisoformat(done["finished_at"])
    assert done["created_at"] == job["created_at"]


def exported_file(project: BakedProject, job: Json) -> Path:
    return project.path / "var" / "exports" / str(job["result"]["file"])


def test_the_file_holds_the_users_items_and_no_others(
    server: Server, client: httpx.Client, project: BakedProject, alice: Account
) -> None:
    owner = sign_up(client)
    create_item(client, alice)
    items = [create_item(client, owner, title=f"Þé 🙂 {number}", body="a\nb").json() for number in range(25)]
    done = finished(client, owner, export(client, owner))
    content = exported_file(project, done).read_bytes()
    assert len(content) == done["result"]["bytes"]
    lines = [json.loads(line) for line in content.decode().splitlines() if line]
    assert sorted(lines, key=lambda item: item["id"]) == items
    assert content.endswith(b"\n")
    assert [path.name for path in exported_file(project, done).parent.glob(f"*{done['id']}*")] == [
        f"{done['id']}.jsonl"
    ]


def test_an_export_of_nothing_succeeds(client: httpx.Client) -> None:
    owner = sign_up(client)
    done = finished(client, owner, export(client, owner))
    assert done["status"] == "succeeded"
    assert (done["result"]["items"], done["result"]["bytes"]) == (0, 0)


def test_the_same_key_gives_the_same_job(client: httpx.Client) -> None:
    owner = sign_up(client)
    key = str(uuid.uuid4())
    first = export(client, owner, key)
    assert export(client, owner, key)["id"] == first["id"]
    finished(client, owner, first)
    assert export(client, owner, key)["id"] == first["id"]
    assert export(client, owner, key + "x")["id"] != first["id"]


def test_exports_without_a_key_are_different_jobs(client: httpx.Client, alice: Account) -> None:
    assert export(client, alice)["id"] != export(client, alice)["id"]


def test_keys_of_different_users_do_not_meet(client: httpx.Client, alice: Account, bob: Account) -> None:
    key = str(uuid.uuid4())
    assert export(client, alice, key)["id"] != export(client, bob, key)["id"]


def test_racing_exports_with_one_key_are_one_job(client: httpx.Client, alice: Account) -> None:
    key = str(uuid.uuid4())
    jobs = together(8, lambda _: export(client, alice, key))
    assert len({job["id"] for job in jobs}) == 1
    assert finished(client, alice, jobs[0])["status"] == "succeeded"


def test_racing_exports_all_run(client: httpx.Client, alice: Account) -> None:
    jobs = together(8, lambda _: export(client, alice))
    assert len({job["id"] for job in jobs}) == 8
    assert {finished(client, alice, job)["status"] for job in jobs} == {"succeeded"}


@pytest.mark.parametrize("key", ["k", "k" * 255, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ a"])
def test_keys_that_are_understood(client: httpx.Client, key: str) -> None:
    owner = sign_up(client)
    assert export(client, owner, key)["id"] == export(client, owner, key)["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb", "é"], ids=["empty", "long", "tab", "not ASCII"])
def test_a_bad_key_is_refused(client: httpx.Client, alice: Account, key: str) -> None:
    header = (b"Idempotency-Key", key.encode())
    response = client.post(EXPORTS, headers=[*((k.encode(), v.encode()) for k, v in alice.headers.items()), header])
    assert_problem(response, 422, "/header/Idempotency-Key")


def test_only_users_export(client: httpx.Client) -> None:
    for headers in ({}, {"Idempotency-Key": "k" * 256}):
        response = client.post(EXPORTS, headers=headers)
        assert_problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_job_is_its_owners_secret(client: httpx.Client, alice: Account, bob: Account) -> None:
    job = export(client, alice)
    path = f"/api/v1/jobs/{job['id']}"
    assert client.get(path, headers=alice.headers).status_code == 200
    foreign = client.get(path, headers=bob.headers)
    unknown = client.get(f"/api/v1/jobs/{uuid.uuid4()}", headers=bob.headers)
    assert_problem(foreign, 404)
    assert_problem(unknown, 404)
    assert foreign.json() == unknown.json()
    assert_problem(client.get(path), 401)


@pytest.mark.parametrize("job_id", ["1", "%00", "a" * 3000])
def test_a_job_id_that_is_no_id(client: httpx.Client, alice: Account, job_id: str) -> None:
    assert_problem(client.get(f"/api/v1/jobs/{job_id}", headers=alice.headers), 404)
