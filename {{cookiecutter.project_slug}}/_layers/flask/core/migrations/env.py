"""Runs the migrations: https://flask-migrate.readthedocs.io/"""

import fcntl
from typing import Literal

from alembic import context
from flask import current_app
from sqlalchemy.types import TypeDecorator

from app.database import database_file, db


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write the database's type into a migration, not the application's, which may change later."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


# One at a time, from wherever they are started.
with database_file.with_suffix(".lock").open("w") as lock, db.engine.connect() as connection:
    fcntl.flock(lock, fcntl.LOCK_EX)
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_item=render_item,
        **current_app.extensions["migrate"].configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
