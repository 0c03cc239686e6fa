"""Runs the migrations: https://flask-migrate.readthedocs.io/"""

from typing import Literal

from alembic import context
from flask import current_app
from sqlalchemy.types import TypeDecorator

from app.database import db, migrating


def render_item(kind: str, item: object, _: object) -> str | Literal[False]:
    """Write the database's type into a migration, not the application's, which may change later."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


if context.is_offline_mode():
    # `make lint` reads what PostgreSQL would be told, each migration by itself.
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with migrating() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
