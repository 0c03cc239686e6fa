from statistics import median
from time import perf_counter

from argon2 import PasswordHasher

from app.passwords import hash_password, needs_rehash, verify_password


def seconds(password: str, hashed: str | None) -> float:
    start = perf_counter()
    verify_password(password, hashed)
    return perf_counter() - start


def test_only_the_right_password_verifies() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    assert verify_password("correct horse", hashed)
    assert not verify_password("wrong horse", hashed)


def test_the_same_password_never_gives_the_same_hash() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")


def test_nothing_opens_an_unknown_account() -> None:
    assert not verify_password("no account has this password", None)


def test_a_value_that_is_no_hash_verifies_nothing() -> None:
    assert not verify_password("correct horse", "correct horse")


def test_an_unknown_account_takes_as_long_as_a_wrong_password() -> None:
    hashed = hash_password("correct horse")
    known = median(seconds("wrong horse", hashed) for _ in range(3))
    unknown = median(seconds("wrong horse", None) for _ in range(3))
    assert known / 3 < unknown < known * 3


def test_a_hash_with_other_parameters_needs_a_rehash() -> None:
    assert needs_rehash(PasswordHasher(time_cost=1).hash("correct horse"))
    assert not needs_rehash(hash_password("correct horse"))
