from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import StatementError

from app.columns import UTCDateTime

metadata = MetaData()
times = Table("times", metadata, Column("at", UTCDateTime))
NOON_IN_ROME = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_a_time_comes_back_aware_and_in_utc(connection: Connection) -> None:
    connection.execute(insert(times), [{"at": NOON_IN_ROME}, {"at": None}])
    stored, nothing = connection.scalars(select(times.c.at))
    assert stored == NOON_IN_ROME
    assert stored.tzinfo is UTC
    assert nothing is None


def test_a_time_without_a_time_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(StatementError, match="time zone"):
        connection.execute(insert(times), {"at": datetime(2026, 1, 1)})  # noqa: DTZ001
