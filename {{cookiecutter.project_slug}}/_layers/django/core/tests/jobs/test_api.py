import time
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.test import Client

from app.environment import environment
from app.items.models import Item
from app.jobs.models import Job
from app.users.models import User
from tests.conftest import assert_problem, client_of, together


def finished(client: Client, location: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(location).json()
        if job["finished_at"]:
            return job
        time.sleep(0.01)
    raise AssertionError(f"{location} is not finished")


def test_an_export(as_ada: Client, grace: User, item: Item) -> None:
    other = Item.objects.create(owner=item.owner, title="Coffee", body="")
    Item.objects.create(owner=grace, title="Grace's", body="")
    response = as_ada.post("/api/v1/exports")
    assert response.status_code == 202
    job = response.json()
    assert response["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["kind"], job["status"], job["result"], job["finished_at"]) == ("export", "pending", None, None)

    job = finished(as_ada, response["Location"])
    file = environment.export_dir / f"{job['id']}.jsonl"
    assert job["status"] == "succeeded"
    assert job["result"] == {"file": file.name, "items": 2, "bytes": file.stat().st_size}
    exported = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert exported == [as_ada.get(f"/api/v1/items/{each.id}").json() for each in (item, other)]


def test_the_same_key_gives_the_same_job(as_ada: Client, as_grace: Client) -> None:
    headers = {"Idempotency-Key": "monday"}
    first, second = (as_ada.post("/api/v1/exports", headers=headers) for _ in range(2))
    assert (second.status_code, second.json()["id"]) == (202, first.json()["id"])
    assert as_grace.post("/api/v1/exports", headers=headers).json()["id"] != first.json()["id"]
    assert as_ada.post("/api/v1/exports").json()["id"] != as_ada.post("/api/v1/exports").json()["id"]
    for job in Job.objects.all():
        finished(client_of(job.owner), f"/api/v1/jobs/{job.id}")


def test_the_same_key_gives_the_same_job_when_several_race(ada: User) -> None:
    def request_export() -> str:
        return client_of(ada).post("/api/v1/exports", headers={"Idempotency-Key": "monday"})["Location"]

    (location,) = set(together(4, request_export))
    finished(client_of(ada), location)


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey", "schlüssel"])
def test_a_bad_key(as_ada: Client, key: str) -> None:
    assert_problem(as_ada.post("/api/v1/exports", headers={"Idempotency-Key": key}), 422, "/header/Idempotency-Key")


def test_only_users_export(client: Client) -> None:
    assert_problem(client.post("/api/v1/exports"), 401)
    assert_problem(client.get(f"/api/v1/jobs/{uuid4()}"), 401)


def test_only_the_owner_sees_a_job(as_grace: Client, ada: User) -> None:
    job = Job.objects.create(owner=ada)
    for job_id in (job.id, uuid4(), "x"):
        assert_problem(as_grace.get(f"/api/v1/jobs/{job_id}"), 404)
