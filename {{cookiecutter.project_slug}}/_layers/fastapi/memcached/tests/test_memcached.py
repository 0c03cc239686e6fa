"""The connection, where the network delivers answers in pieces."""

import asyncio

from memcachio import Client

from app.memcached import OneConnection

VALUE = b'{"title": "Tea"}\n'
ANSWER = b"VALUE key 0 %d\r\n%b\r\nEND\r\n" % (len(VALUE), VALUE)


async def test_answers_in_pieces() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for cut in range(len(ANSWER)):
            await reader.readline()
            for piece in (ANSWER[:cut], ANSWER[cut:]):
                writer.write(piece)
                await asyncio.sleep(0.005)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        pool = OneConnection(server.sockets[0].getsockname())
        client = Client(connection_pool=pool, decode_responses=False)
        for _ in range(len(ANSWER)):
            async with asyncio.timeout(1):
                assert (await client.get("key"))[b"key"].value == VALUE
        pool.close()
