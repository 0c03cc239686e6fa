"""Server programs for the tests: on free ports, in folders that go with them, never anybody's own."""

from tests.services.daemon import PASSWORD, Daemon, missing, program
from tests.services.databases import (
    PgBouncer,
    Postgres,
    Replicated,
    Standby,
    pgbouncer,
    postgres,
    primary_with_standbys,
)
from tests.services.servers import Memcached, RabbitMQ, Redis, memcached, rabbitmq, redis

__all__ = [
    "PASSWORD",
    "Daemon",
    "Memcached",
    "PgBouncer",
    "Postgres",
    "RabbitMQ",
    "Redis",
    "Replicated",
    "Standby",
    "memcached",
    "missing",
    "pgbouncer",
    "postgres",
    "primary_with_standbys",
    "program",
    "rabbitmq",
    "redis",
]
