"""PostgreSQL freezes, is killed or stands behind PgBouncer: the right answers at once, recovery without a restart."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from tests.baking import BakedProject
from tests.contract.client import (
    UNKNOWN_ID,
    Account,
    assert_problem,
    connect,
    create_item,
    new_user,
    sign_up,
    together,
)
from tests.contract.place import WEB, Place, PostgreSQL, Services, new_place
from tests.contract.test_workers import leave_behind
from tests.contract.variants import Variant
from tests.services import PASSWORD, Postgres, Replicated, pgbouncer, postgres
from tests.serving import Server, eventually, running

pytestmark = pytest.mark.variants("one real of each framework")


@pytest.fixture(scope="module")
def fragile_server() -> Iterator[Postgres]:
    """A server that may be stopped, because no other test uses it."""
    with postgres() as server:
        yield server


@pytest.fixture(scope="module")
def fragile(
    project: BakedProject,
    variant: Variant,
    services: Services,
    tmp_path_factory: pytest.TempPathFactory,
    fragile_server: Postgres,
) -> Iterator[Place]:
    """Its other servers live."""
    services = replace(services, databases=Replicated(fragile_server, []))
    with new_place(project, variant, services, tmp_path_factory.mktemp("fragile"), None) as place:
        # What the driver is to do follows the name.
        place.env["DATABASE_URL"] += "?sslmode=prefer"
        place.migrate()
        yield place


@pytest.fixture(scope="module")
def web(fragile: Place) -> Iterator[Server]:
    with fragile.web() as server:
        yield server


@pytest.fixture
def user(web: Server) -> Account:
    """Somebody who came when every connection was in use, so that the pool is full."""
    ask(web, *[list_items] * 12)
    with connect(web.base_url) as client:
        return sign_up(client)


def ask(server: Server, *calls: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
    """The answers to calls that are made at the same time, each over a connection of its own.

    None takes longer than the 5 seconds after which a server of this service gives up, and a busy machine's delays.
    """

    def answer(number: int) -> httpx.Response:
        with connect(server.base_url) as client:
            response = calls[number](client)
        assert response.elapsed.total_seconds() < 6, response.url
        return response

    return together(len(calls), answer)


def list_items(client: httpx.Client) -> httpx.Response:
    """A page that is never cached: one that follows another."""
    return client.get("/api/v1/items?cursor=ffffffff-ffff-7fff-bfff-ffffffffffff")


def create_user(client: httpx.Client) -> httpx.Response:
    return client.post("/api/v1/users", json=new_user())


def ready(client: httpx.Client) -> httpx.Response:
    return client.get("/health/ready")


def assert_down(server: Server, user: Account) -> None:
    """Whatever needs the database is 503 at once, and the process lives."""
    *failed, live = ask(
        server,
        list_items,
        list_items,
        list_items,
        create_user,
        ready,
        lambda client: client.get("/api/v1/users/me", headers=user.headers),
        lambda client: client.get(f"/api/v1/items/{UNKNOWN_ID}"),
        lambda client: client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=user.headers),
        lambda client: client.post("/api/v1/exports", headers=user.headers),
        lambda client: client.get("/health/live"),
    )
    for response in failed:
        assert_problem(response, 503)
    assert live.status_code == 200
    (not_ready,) = ask(server, ready)
    assert "database" in not_ready.json()["detail"]
    assert "cache" not in not_ready.json()["detail"]


def assert_recovers(server: Server) -> None:
    """Within two seconds, and nobody restarts anything."""
    with connect(server.base_url) as client:
        for call in (ready, list_items, create_user):
            eventually(lambda call=call: call(client).is_success, seconds=2)  # type: ignore[misc]
    assert {answer.status_code for answer in ask(server, *[list_items] * 8)} == {200}
    assert server.process
    assert PASSWORD not in server.process.log
    assert quote(PASSWORD, safe="") not in server.process.log


def test_a_frozen_server(web: Server, user: Account, fragile_server: Postgres) -> None:
    with fragile_server.frozen():
        assert_down(web, user)
        assert_down(web, user)
    assert_recovers(web)


def test_a_restart_fails_no_reader(web: Server, user: Account, fragile_server: Postgres) -> None:
    for _ in range(2):
        fragile_server.kill()
        fragile_server.start()
        answers = ask(
            web, *[list_items] * 6, ready, lambda client: client.get("/api/v1/users/me", headers=user.headers)
        )
        assert [answer.status_code for answer in answers] == [200] * 8
    assert_recovers(web)


def test_a_killed_server(web: Server, user: Account, fragile: Place, fragile_server: Postgres) -> None:
    with connect(web.base_url) as client:
        client.post("/api/v1/exports", headers=user.headers)
    with fragile.working() as (worker, _):
        leave_behind(fragile, "pending")
        eventually(lambda: fragile.job_statuses() == ["succeeded"] * 2, seconds=30)
        fragile_server.kill()
        try:
            assert_down(web, user)
            # The worker looks for jobs every few seconds.
            eventually(lambda: "database" in worker.log, seconds=20)
        finally:
            fragile_server.start()
        assert_recovers(web)
        leave_behind(fragile, "pending")
        eventually(lambda: fragile.job_statuses() == ["succeeded"] * 3, seconds=30)
        assert PASSWORD not in worker.log


def test_a_server_that_starts_after_the_process(fragile: Place, fragile_server: Postgres) -> None:
    fragile_server.kill()
    try:
        with running(fragile.project, fragile.env, WEB, ready="/health/live") as server:
            for answer in ask(server, list_items, create_user, ready):
                assert_problem(answer, 503)
            fragile_server.start()
            assert_recovers(server)
    finally:
        fragile_server.stop()
        fragile_server.start()


def use_everything(server: Server, rounds: int) -> list[int]:
    """Make requests of every kind; the status of each answer."""
    with connect(server.base_url) as client:
        user = sign_up(client)

        def answers() -> Iterator[httpx.Response]:
            for number in itertools.count():
                item = create_item(client, user)
                path = item.headers["Location"]
                yield client.get(path)
                yield client.get("/api/v1/items?limit=100")
                match = user.headers | {"If-Match": item.headers["ETag"]}
                yield client.patch(path, json={"title": f"Tea {number}"}, headers=match)
                yield client.get(path, headers=user.headers)
                yield client.get("/api/v1/users/me", headers=user.headers)
                job = client.post("/api/v1/exports", headers=user.headers | {"Idempotency-Key": str(number // 2)})
                yield job
                yield client.get(job.headers["Location"], headers=user.headers)
                yield client.delete(path, headers=user.headers)

        return [answer.status_code for answer in itertools.islice(answers(), rounds * 8)]


def test_behind_pgbouncer_in_transaction_mode(migrated: Place, postgres_server: Postgres) -> None:
    assert isinstance(migrated.database, PostgreSQL)
    with pgbouncer(postgres_server) as pooler:
        url = pooler.url(migrated.database.name)
        working = migrated.working(DATABASE_URL=url) if migrated.has_broker else nullcontext()
        with migrated.web(DATABASE_URL=url) as server, working:
            expected = [200, 200, 200, 200, 200, 202, 200, 204]
            assert together(8, lambda _: use_everything(server, 3)) == [expected * 3] * 8
            eventually(lambda: set(migrated.job_statuses()) == {"succeeded"}, seconds=30)
            pooler.stop()
            pooler.start()
            assert {answer.status_code for answer in ask(server, *[list_items] * 8)} == {200}
            assert_recovers(server)
            assert together(4, lambda _: use_everything(server, 1)) == [expected] * 4
