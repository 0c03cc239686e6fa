"""The servers of these tests do what the tests ask of them: freeze, die, come back, fall behind."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.services import Daemon, Standby, memcached, postgres, primary_with_standbys, rabbitmq, redis
from tests.serving import eventually

# What each server answers at once, in the first bytes.
SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[Daemon]], bytes, bytes]] = {
    # SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html
    "PostgreSQL": (postgres, b"\0\0\0\x08\x04\xd2\x16\x2f", b"N"),
    "Redis": (redis, b"PING\r\n", b"-NOAUTH"),
    "Memcached": (memcached, b"version\r\n", b"VERSION"),
    "RabbitMQ": (rabbitmq, b"HTTP 1.1\r\n\r\n", b"AMQP"),
}


def answer(server: Daemon, question: bytes) -> bytes | None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(1)
        connection.sendall(question)
        try:
            return connection.recv(100)
        except TimeoutError:
            return None


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_frozen_killed_and_started_again(name: str) -> None:
    start, question, expected = SERVERS[name]
    with start() as server:
        assert (answer(server, question) or b"").startswith(expected)
        with server.frozen():
            assert answer(server, question) is None
        assert (answer(server, question) or b"").startswith(expected)
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            answer(server, question)
        server.start()
        assert (answer(server, question) or b"").startswith(expected)
    with pytest.raises(ConnectionRefusedError):
        answer(server, question)


def test_a_virtual_host_holds_nothing() -> None:
    with rabbitmq() as server:
        first, second = server.create_virtual_host(), server.create_virtual_host()
        assert first != second
        assert server.queues(first) == []
        server.drop_virtual_host(first)


def test_standbys_follow_and_fall_behind() -> None:
    with primary_with_standbys(2) as (primary, (first, second)):

        def shows(standby: Standby, table: str) -> bool:
            return standby.execute(f"SELECT to_regclass('{table}') IS NOT NULL") == [(True,)]

        with first.behind():
            primary.execute("CREATE TABLE one ()")
            eventually(second.caught_up)
            assert shows(second, "one")
            assert not first.caught_up()
            assert not shows(first, "one")
        assert shows(first, "one")
        first.kill()
        primary.execute("CREATE TABLE two ()")
        first.start()
        eventually(lambda: shows(first, "two"))
        primary.kill()
        assert shows(first, "two")
        primary.start()
        primary.execute("CREATE TABLE three ()")
        eventually(lambda: shows(first, "three") and shows(second, "three"))
