# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "flask~=3.1.3",
#   "flask-sqlalchemy~=3.1.1",
#   "flask-caching~=2.5.1",
#   "flask-login~=0.6.3",
#   "gunicorn[gevent]~=23.0",
#   "packaging~=25.0",
#   "psycopg[binary]~=3.3.9",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""Flask as its best known template sets it up: models and lists of dictionaries, gunicorn's gevent workers.

https://github.com/cookiecutter-flask/cookiecutter-flask
"""

import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, abort, jsonify, request
from flask_caching import Cache
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

ITEMS, USERS, _ = os.environ["TABLES"].split()
application = Flask(__name__)
application.config.update(
    SECRET_KEY="of a benchmark",
    SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"),
    CACHE_TYPE="SimpleCache",
)
database = SQLAlchemy(application)
Cache(application)
login = LoginManager(application)


@login.user_loader
def load_user(user_id: str) -> "User | None":
    return database.session.get(User, user_id)


class User(database.Model):
    __tablename__ = USERS
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(database.Model):
    __tablename__ = ITEMS
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(User.id))
    title: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    owner: Mapped[User] = relationship()

    def to_dict(self) -> dict[str, object]:
        return {
            "id": str(self.id),
            "title": self.title,
            "body": self.body,
            "owner": {"id": str(self.owner.id), "name": self.owner.name},
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


@application.get("/api/v1/items")
def list_items() -> Response:
    items = database.select(Item).options(joinedload(Item.owner)).order_by(Item.id.desc()).limit(20)
    if after := request.args.get("cursor"):
        items = items.where(Item.id < uuid.UUID(after))
    found = [item.to_dict() for item in database.session.scalars(items)]
    return jsonify(items=found, next_cursor=found[-1]["id"])


@application.get("/api/v1/items/<uuid:item_id>")
def show_item(item_id: uuid.UUID) -> Response:
    item = database.session.get(Item, item_id, options=[joinedload(Item.owner)])
    if item is None:
        abort(404)
    return jsonify(item.to_dict())


@application.post("/api/v1/items")
def create_item() -> tuple[Response, int]:
    item = Item(owner_id=uuid.UUID(os.environ["OWNER"]), **request.get_json())
    database.session.add(item)
    database.session.commit()
    return jsonify(item.to_dict()), 201


@application.get("/health/live")
def live() -> Response:
    return jsonify(status="ok")


if __name__ == "__main__":
    gunicorn = Path(sys.executable).parent / "gunicorn"
    bind = f"127.0.0.1:{os.environ['PORT']}"
    arguments = ["gunicorn", "--bind", bind, "--workers", os.environ["WORKERS"], "--log-level", "warning"]
    os.chdir(Path(__file__).parent)
    os.execv(gunicorn, [*arguments, "--worker-class", "gevent", "flask_peer:application"])
