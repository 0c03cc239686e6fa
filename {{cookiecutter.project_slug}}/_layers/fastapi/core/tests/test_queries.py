"""Every query finds its rows by an index, however many there are."""

from uuid import UUID

from httpx import AsyncClient
from sqlalchemy import text

from app.database import reader, writing
from app.jobs import runs, tasks
from app.queue import queue
from app.users.models import User
from tests.conftest import PASSWORD, Headers, Statements, on_postgresql

MANY = """
INSERT INTO users (id, created_at, email, name, password)
SELECT gen_random_uuid(), now(), number || '@example.com', 'Ada', '' FROM generate_series(1, 20000) AS number;
INSERT INTO items (id, created_at, title, body, owner_id, updated_at)
SELECT gen_random_uuid(), now(), 'Tea', '', id, now() FROM users;
INSERT INTO jobs (id, created_at, owner_id, kind, status, idempotency_key, attempts, due_at)
SELECT gen_random_uuid(), now(), id, 'export', 'succeeded', 'key', 1, now() FROM users;
ANALYZE users, items, jobs
"""


async def use_everything(client: AsyncClient, user: User, headers: Headers) -> None:
    await client.post("/api/v1/tokens", json={"email": user.email, "password": PASSWORD})
    await client.get("/api/v1/users/me", headers=headers)
    page = (await client.get("/api/v1/items?limit=1")).json()
    await client.get(f"/api/v1/items?cursor={page['next_cursor']}")
    for _ in range(2):
        created = await client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers)
        export = await client.post("/api/v1/exports", headers=headers | {"Idempotency-Key": "mine"})
    path = created.headers["Location"]
    await client.get(path)
    await client.patch(path, json={"title": "Coffee"}, headers=headers)
    await client.delete(path, headers=headers)
    await queue.finish()
    # Where others run the jobs, they do not do it here.
    await runs.run(UUID(export.json()["id"]))
    assert (await client.get(export.headers["Location"], headers=headers)).json()["status"] == "succeeded"
    await tasks.overdue()


@on_postgresql
async def test_no_query_reads_a_whole_table(
    client: AsyncClient, user: User, headers: Headers, statements: Statements
) -> None:
    async with writing.begin() as session:
        for statement in MANY.split(";"):
            await session.execute(text(statement))
    statements.clear()
    await use_everything(client, user, headers)
    queries = dict(statements)
    assert len(queries) > 15
    async with reader.connect() as connection:
        for query, parameters in queries.items():
            plan = "\n".join((await connection.exec_driver_sql(f"EXPLAIN {query}", parameters)).scalars())
            assert "Seq Scan" not in plan, f"{query}\n{plan}"
