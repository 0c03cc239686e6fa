"""Versions of representations (RFC 9110, sections 8.8.3 and 13.1)."""

import re
from hashlib import blake2b

_TAG = re.compile(r'(W/)?("[^"]*")')


def etag(body: bytes) -> str:
    """The strong validator of these bytes."""
    return f'"{blake2b(body, digest_size=16).hexdigest()}"'


def matches(header: str, tag: str, *, weakly: bool = False) -> bool:
    """Whether `*` or one of the header's tags is this one. Weak tags count only in a weak comparison."""
    return header.strip() == "*" or any(
        candidate == tag and (weakly or not weak) for weak, candidate in _TAG.findall(header)
    )
