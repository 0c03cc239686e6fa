from datetime import timedelta
from uuid import uuid4

import pytest

from app import tokens


def test_a_token_names_its_user() -> None:
    user_id = uuid4()
    assert tokens.verify(tokens.issue(user_id)) == user_id


def test_a_token_of_a_retired_key_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    user_id = uuid4()
    _, retired = tokens._KEYS
    monkeypatch.setattr(tokens, "_CURRENT", retired)
    token = tokens.issue(user_id)
    monkeypatch.undo()
    assert tokens.verify(token) == user_id
    monkeypatch.delitem(tokens._KEYS, retired)
    assert tokens.verify(token) is None


def test_an_expired_token_is_not_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "LIFETIME", timedelta(seconds=-1))
    assert tokens.verify(tokens.issue(uuid4())) is None


@pytest.mark.parametrize("token", ["", "a.b.c", "é", tokens.issue(uuid4())[:-2]])
def test_a_forged_token_is_not_valid(token: str) -> None:
    assert tokens.verify(token) is None
