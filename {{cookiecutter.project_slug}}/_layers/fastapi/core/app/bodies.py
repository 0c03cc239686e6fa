"""Bodies of requests and answers, in JSON (RFC 8259)."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class _StrictRequest(Request):
    async def json(self) -> object:
        return orjson.loads(await self.body())


class StrictRoute(APIRoute):
    """Reads UTF-8 only, as the RFC says, where Python's own parser also takes UTF-16, NaN and endless nesting.

    https://fastapi.tiangolo.com/how-to/custom-request-and-route/
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is encoded already."""
    return Response(body, status, headers, media_type="application/json")
