"""The replicas' connections, and what of a request reads from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from app import monitor
from app.cache import copies
from app.database import ENGINE, db
from app.environment import environment
from app.loads import LoadedFromPrimary
from app.replicas import ANSWER_SECONDS, URLS


@dataclass
class Reading:
    """Which replica a request reads from, whether it still does, and whether it has."""

    replica: int
    usable: bool = True
    asked: bool = False


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def from_replica(replica: int) -> Iterator[Reading]:
    reading = Reading(replica)
    token = _reading.set(reading)
    try:
        yield reading
    finally:
        _reading.reset(token)


def use_primary() -> None:
    """For the rest of this request."""
    if reading := _reading.get():
        reading.usable = False


def connected(url: str) -> Engine:
    """Like the primary's: https://docs.sqlalchemy.org/en/21/core/engines.html"""
    options = f"{ENGINE['connect_args']['options']} -c statement_timeout={ANSWER_SECONDS}s"
    arguments = ENGINE["connect_args"] | {"options": options}
    engine = create_engine(url, **ENGINE | {"connect_args": arguments, "pool_timeout": ANSWER_SECONDS})
    event.listen(engine, "do_connect", lambda _, __, args, options: monitor.Connection.connect(*args, **options))
    return engine


engines = [connected(url) for url in URLS]


def engine() -> Engine:
    """Where the request reads from now."""
    reading = _reading.get()
    if reading and reading.usable:
        reading.asked = True
        return engines[reading.replica]
    return db.engine


@event.listens_for(db.session, "do_orm_execute")
def route(state: ORMExecuteState) -> None:
    """https://docs.sqlalchemy.org/en/21/orm/events.html#sqlalchemy.orm.SessionEvents.do_orm_execute"""
    state.bind_arguments["bind"] = engine()


@event.listens_for(db.session, "after_begin")
def stay(_: Session, __: SessionTransaction, connection: Connection) -> None:
    """Whoever has begun on the primary, maybe to write, reads there too."""
    if connection.engine is db.engine:
        use_primary()


if environment.cache_url or environment.web_concurrency == 1:
    copies.store = LoadedFromPrimary(copies.store, use_primary)
