"""Where requests read: from a replica, unless they write or belong to somebody who has just written."""

import hmac
import time

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import monitor, sessions
from app.environment import environment
from app.replicas import replicas

SAFE = ("GET", "HEAD")
# The cookie of those who have written, and how long they read from the primary then.
WROTE = "wrote"
WROTE_SECONDS = 10


class Reads:
    """Chooses a replica for each request that only reads, and asks the primary where the replica does not do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            async with monitor.running():
                await self.app(scope, receive, send)
            await sessions.close()
        elif scope["method"] not in SAFE:
            await self.app(scope, receive, _marking(send))
        else:
            if not has_written(Request(scope)):
                scope["replica"] = replicas.choose()
            try:
                await self.app(scope, receive, send)
            except sessions.AskPrimaryError:
                # Nothing has been sent yet.
                scope["replica"] = None
                await self.app(scope, receive, send)


def _marking(send: Send) -> Send:
    """Let the client read what it has written: its next requests do not go to a replica."""

    async def send_with_mark(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            secure = "; Secure" if environment.production else ""
            cookie = f"{WROTE}={_mark()}; Max-Age={WROTE_SECONDS}; Path=/; HttpOnly; SameSite=Lax{secure}"
            message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
        await send(message)

    return send_with_mark


def has_written(request: Request) -> bool:
    expires, _, signature = request.cookies.get(WROTE, "").partition(".")
    return hmac.compare_digest(signature.encode(), _sign(expires).encode()) and float(expires) > time.time()


def _mark() -> str:
    expires = str(int(time.time() + WROTE_SECONDS))
    return f"{expires}.{_sign(expires)}"


def _sign(expires: str) -> str:
    return hmac.digest(environment.secret_key.encode(), f"{WROTE}:{expires}".encode(), "sha256").hex()
