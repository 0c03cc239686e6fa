"""Copies, where the tests keep them and inside the process."""

import asyncio
from uuid import uuid4

import pytest

from app import cache, copies
from app.copies import Copies, version_key
from app.memory import Memory


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture(params=[cache.store, Memory()], ids=["cache", "memory"])
async def kept(request: pytest.FixtureRequest, started: None) -> Copies:
    return Copies(request.param)


class Source:
    """Loads what was there when it began, and counts how often."""

    def __init__(self, value: bytes = b"value") -> None:
        self.value = value
        self.loads = 0
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def load(self) -> bytes:
        self.loads += 1
        value = self.value
        self.begun.set()
        await asyncio.sleep(0.05)
        await self.may_end.wait()
        return value

    async def change(self, kept: Copies, key: str) -> None:
        """Change the value in the middle of a load."""
        await self.begun.wait()
        self.value = b"new"
        await kept.forget(key)
        self.may_end.set()


async def test_many_readers_load_once(kept: Copies, key: str) -> None:
    source = Source()
    for _ in range(2):
        values = await asyncio.gather(*(kept.read_through(key, source.load) for _ in range(100)))
        assert set(values) == {b"value"}
    assert source.loads == 1


async def test_what_is_forgotten_is_loaded_again(kept: Copies, key: str) -> None:
    source = Source()
    await kept.read_through(key, source.load)
    source.value = b"new"
    await kept.forget(key)
    assert await kept.read_through(key, source.load) == b"new"


async def test_what_was_loaded_before_it_was_forgotten_is_not_kept(kept: Copies, key: str) -> None:
    source = Source(b"old")
    source.may_end.clear()
    readers = asyncio.gather(*(kept.read_through(key, source.load) for _ in range(10)))
    await source.change(kept, key)
    # The first one; the others waited.
    assert sorted(await readers) == [b"new"] * 9 + [b"old"]
    assert await kept.read_through(key, source.load) == b"new"
    assert source.loads == 2


async def test_who_fails_to_load_lets_the_next_one_try(kept: Copies, key: str) -> None:
    async def fail() -> bytes:
        raise LookupError

    with pytest.raises(LookupError):
        await kept.read_through(key, fail)
    assert await kept.read_through(key, Source().load) == b"value"


async def test_nobody_waits_for_ever(kept: Copies, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "WAIT_SECONDS", 0.1)

    endless = Source()
    endless.may_end.clear()
    reader = asyncio.create_task(kept.read_through(key, endless.load))
    await endless.begun.wait()
    assert await kept.read_through(key, Source().load) == b"value"
    reader.cancel()
    await asyncio.wait([reader])
    source = Source()
    for _ in range(2):
        await kept.read_through(key, source.load)
    assert source.loads == 1


async def test_pages_are_forgotten_together(kept: Copies, key: str) -> None:
    source = Source()
    for _ in range(2):
        for page in ("10", "20"):
            assert await kept.page(key, page, source.load) == b"value"
    assert source.loads == 2
    source.value = b"new"
    await kept.forget(version_key(key))
    for page in ("10", "20"):
        assert await kept.page(key, page, source.load) == b"new"
    assert source.loads == 4


async def test_a_page_that_was_loaded_before_a_change_is_not_shown_after_it(kept: Copies, key: str) -> None:
    source = Source(b"old")
    source.may_end.clear()
    old, _ = await asyncio.gather(kept.page(key, "10", source.load), source.change(kept, version_key(key)))
    assert old == b"old"
    assert await kept.page(key, "10", source.load) == b"new"


async def test_what_is_too_large_is_not_kept(key: str) -> None:
    source = Source(b"x" * 1000)
    for max_bytes, loads in ((2000, 1), (500, 2), (0, 2)):
        kept, source.loads = Copies(Memory(max_bytes)), 0
        for _ in range(2):
            assert await kept.read_through(key, source.load) == source.value
        assert source.loads == loads
