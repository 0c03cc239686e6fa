from collections.abc import Iterator
from importlib import reload
from uuid import uuid4

import pytest

from app import environment, tokens


@pytest.fixture
def rotate(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    reload(tokens)


def use_keys(monkeypatch: pytest.MonkeyPatch, key: str, *fallbacks: str) -> None:
    update = {"secret_key": key, "secret_key_fallbacks": fallbacks}
    monkeypatch.setattr(environment, "environment", environment.environment.model_copy(update=update))
    reload(tokens)


def test_a_token_of_a_retired_key_stays_valid_until_the_key_is_dropped(rotate: pytest.MonkeyPatch) -> None:
    user_id = uuid4()
    use_keys(rotate, "old")
    token = tokens.issue(user_id)
    use_keys(rotate, "new", "old")
    assert tokens.verify(token) == user_id
    assert tokens.verify(tokens.issue(user_id)) == user_id
    use_keys(rotate, "new")
    assert tokens.verify(token) is None
