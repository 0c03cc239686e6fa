from httpx import AsyncClient
from sqlalchemy import text

from app.database import writer
from tests.conftest import Statements, assert_problem


async def test_live(client: AsyncClient, statements: Statements) -> None:
    response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert statements == []


async def test_ready(client: AsyncClient) -> None:
    response = await client.get("/health/ready")
    assert response.status_code == 200
    parts = response.json()["parts"]
    assert (response.json()["status"], parts["database"], parts["cache"]) == ("ok", "ok", "ok")


async def test_not_ready_without_the_tables(client: AsyncClient) -> None:
    async with writer.begin() as connection:
        await connection.execute(text("ALTER TABLE alembic_version RENAME TO elsewhere"))
    response = await client.get("/health/ready")
    async with writer.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO alembic_version"))
    assert_problem(response, 503)
    assert response.json()["detail"] == "Not ready: database."
    assert (await client.get("/health/ready")).status_code == 200


async def test_probes_may_use_any_host(client: AsyncClient) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert (await client.get(path, headers={"Host": "10.0.0.7:8000"})).status_code == 200
