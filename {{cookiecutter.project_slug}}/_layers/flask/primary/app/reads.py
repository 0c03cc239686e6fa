"""Where reads go: to the one database that there is."""

from sqlalchemy import Engine

from app.database import db


def engine() -> Engine:
    return db.engine
