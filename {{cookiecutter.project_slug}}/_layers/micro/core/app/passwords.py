"""Passwords as Argon2id hashes (RFC 9106), with argon2-cffi's parameters of the day."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# https://argon2-cffi.readthedocs.io/en/stable/api.html
_hasher = PasswordHasher()
_UNKNOWN_ACCOUNT = _hasher.hash("no account has this password")


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(password: str, hashed: str | None) -> bool:
    """Whether the password is the hash's. None, an unknown account, takes as long to refuse as a wrong password."""
    try:
        return _hasher.verify(hashed or _UNKNOWN_ACCOUNT, password) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(hashed)
