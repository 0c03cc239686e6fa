"""How Memcached is reached: https://memcachio.readthedocs.io/"""

import time
from asyncio import Future, Lock
from typing import Any, override

from memcachio import Pool, PoolMetrics, TCPConnection
from memcachio.commands import Command
from memcachio.errors import MemcachedError


class Connection(TCPConnection):
    def __init__(self, address: tuple[str, int]) -> None:
        # Who calls limits the time.
        super().__init__(address, connect_timeout=None, read_timeout=None)
        self._received = bytearray()

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @override
    def data_received(self, data: bytes) -> None:
        # Every answer ends a line. memcachio 0.5 loses its place when it gets a value without the end of its line.
        self._received += data
        if self._received.endswith(b"\r\n"):
            lines, self._received = bytes(self._received), bytearray()
            super().data_received(lines)


class OneConnection(Pool):
    """One connection for all calls, none of which waits for the others' answers. A failure has it replaced.

    The pools of memcachio lose a connection for good with each call that is cancelled, as by a time-out.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, connect_timeout=None, read_timeout=None)
        self._address = address
        self._connection = Connection(address)
        self._connecting = Lock()

    @property
    @override
    def metrics(self) -> PoolMetrics:
        return PoolMetrics()

    @override
    async def initialize(self) -> None:
        async with self._connecting:
            if not self._connection.is_open:
                # Never the old one again: what is left of it would mix with the answers that the new one gets.
                connection = Connection(self._address)
                await connection.connect()
                self._connection = connection

    @override
    async def execute_command[R](self, command: Command[R]) -> None:
        if not self._connection.is_open:
            await self.initialize()
        connection, sent = self._connection, time.time()
        connection.create_request(command)
        command.response.add_done_callback(lambda response: self._check(connection, sent, response))

    @override
    def close(self) -> None:
        self._connection.close()

    def _check(self, connection: Connection, sent: float, response: Future[Any]) -> None:
        if response.cancelled():
            # Somebody lost patience. That the server is silent is another matter.
            failed = connection.metrics.last_read < sent
        else:
            # An error that the server tells is an answer.
            failed = not isinstance(response.exception(), MemcachedError | None)
        if failed:
            connection.close()
