"""Access tokens: JSON Web Tokens signed with the secret key (RFC 7519)."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import jwt

from app.environment import PROJECT, environment

LIFETIME = timedelta(hours=1)
ISSUER = PROJECT["name"]
AUDIENCE = f"{ISSUER}-api"
ALGORITHM = "HS256"


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id" + key).hexdigest()[:8]


# Each key signs under its own id, so that tokens of a retired key are found and still verify.
_KEYS = {
    _key_id(key): key
    for key in (
        hashlib.sha256(b"access token" + secret.encode()).digest()
        for secret in (environment.secret_key, *environment.secret_key_fallbacks)
    )
}
_CURRENT = next(iter(_KEYS))


def issue(user_id: UUID) -> str:
    """A signed token for the user, valid for `LIFETIME`."""
    now = datetime.now(UTC)
    claims = {"sub": str(user_id), "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, _KEYS[_CURRENT], ALGORITHM, headers={"kid": _CURRENT})


def verify(token: str) -> UUID | None:
    """The user's id, or None when the token is malformed, forged, expired or meant for somebody else."""
    try:
        key_id, user_id, expires_at = _read(token)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None
    return user_id if key_id in _KEYS and time.time() < expires_at else None


# A client sends the same token with each of its requests: only time can make it invalid.
@lru_cache(maxsize=1024)
def _read(token: str) -> tuple[str, UUID, float]:
    key_id = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(
        token,
        _KEYS[key_id],
        [ALGORITHM],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    return key_id, UUID(claims["sub"]), float(claims["exp"])
