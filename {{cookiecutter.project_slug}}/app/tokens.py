"""Access tokens: JSON Web Tokens signed with the secret key (RFC 7519)."""

import hashlib
from datetime import UTC, datetime, timedelta
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
        key = _KEYS[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            [ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return UUID(claims["sub"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return None
