"""How copies are kept: by every store alike."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app import copies as module
from app.cache import copies, store
from app.copies import MARK, version_key


class Loads:
    """A load that takes a while, and counts."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: time.sleep(0.1)) -> None:
        self.count = 0
        self._meanwhile = meanwhile

    def __call__(self) -> bytes:
        self.count += 1
        value = b'{"number": %d}' % self.count
        self._meanwhile()
        return value


def read(load: Callable[[], bytes]) -> bytes:
    return copies.read_through("key", load)


def test_many_who_ask_at_once_load_once() -> None:
    load = Loads()
    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(read, [load] * 50)) == {b'{"number": 1}'}
    assert load.count == 1
    copies.forget("key")
    assert read(load) == b'{"number": 2}'


def test_what_was_loaded_before_it_was_forgotten_is_not_kept() -> None:
    load = Loads(meanwhile=lambda: copies.forget("key"))
    assert [read(load) for _ in range(2)] == [b'{"number": 1}', b'{"number": 2}']


def test_who_waits_for_what_is_forgotten_loads_anew() -> None:
    waits = Event()

    def meanwhile() -> None:
        if not waits.is_set():
            waits.set()
            time.sleep(0.1)
            copies.forget("key")

    load = Loads(meanwhile)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(read, load)
        waits.wait()
        assert read(load) == b'{"number": 2}'
    assert first.result() == b'{"number": 1}'
    assert read(load) == b'{"number": 2}'


def test_a_load_that_fails_leaves_the_way_free() -> None:
    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        read(Loads(meanwhile=fail))
    assert store.get("key") is None


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was loading may have been killed."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.1)
    store.add("key", MARK + b"somebody", 5)
    load = Loads()
    assert [read(load) for _ in range(2)] == [b'{"number": 1}', b'{"number": 2}']


def test_pages_are_forgotten_together() -> None:
    load = Loads(meanwhile=lambda: None)

    def pages() -> list[bytes]:
        return [copies.page("group", key, load) for key in ("a", "b", "a")]

    assert pages() == [b'{"number": 1}', b'{"number": 2}', b'{"number": 1}']
    copies.forget(version_key("group"))
    assert pages() == [b'{"number": 3}', b'{"number": 4}', b'{"number": 3}']


def test_a_page_that_was_loaded_before_it_was_forgotten_is_not_kept() -> None:
    load = Loads(meanwhile=lambda: copies.forget(version_key("group")))
    assert [copies.page("group", "key", load) for _ in range(2)] == [b'{"number": 1}', b'{"number": 2}']


def test_what_is_large_is_answered_all_the_same() -> None:
    value = b" " * 2_000_000
    assert [read(lambda: value) for _ in range(2)] == [value, value]


def test_nobody_waits_for_a_page_of_another_version() -> None:
    begun, told = Event(), Event()

    def meanwhile() -> None:
        begun.set()
        told.wait(5)

    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(copies.page, "group", "key", Loads(meanwhile))
        begun.wait()
        copies.forget(version_key("group"))
        assert copies.page("group", "key", lambda: b"new") == b"new"
        told.set()
        assert old.result() == b'{"number": 1}'
    assert copies.page("group", "key", lambda: b"newer") == b"new"
