from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.database import db, transaction
from app.health import CHECKS


def test_live(client: FlaskClient, statements: list[str]) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "private, no-store"
    assert not statements


def test_ready(client: FlaskClient) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.json == {"status": "ok", "parts": dict.fromkeys(CHECKS, "ok")}


def test_not_ready_without_tables(app: APIFlask, client: FlaskClient) -> None:
    def rename(old: str, new: str) -> None:
        with app.app_context(), transaction():
            db.session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("alembic_version", "gone")
    try:
        response = client.get("/health/ready")
    finally:
        rename("gone", "alembic_version")
    assert response.status_code == 503
    assert response.get_json(force=True)["detail"] == "Not ready: database."
    assert client.get("/health/live").status_code == 200
