from app.cache import Cache


async def test_what_was_loaded_is_not_loaded_again() -> None:
    cache = Cache(size=100, seconds=60)
    loads: list[str] = []

    async def load() -> bytes:
        loads.append("load")
        return b"value"

    assert [await cache.read_through("key", load) for _ in range(3)] == [b"value"] * 3
    assert loads == ["load"]
    await cache.delete("key")
    assert await cache.get("key") is None


async def test_what_was_loaded_before_a_deletion_is_not_kept() -> None:
    cache = Cache(size=100, seconds=60)

    async def load() -> bytes:
        await cache.delete("key")
        return b"old"

    assert await cache.read_through("key", load) == b"old"
    assert await cache.get("key") is None


async def test_a_cache_without_room_keeps_nothing() -> None:
    cache = Cache(size=0, seconds=60)

    async def load() -> bytes:
        return b"value"

    assert await cache.read_through("key", load) == b"value"
    assert await cache.get("key") is None
