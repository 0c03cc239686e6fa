# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "argon2-cffi~=25.1",
#   "flask~=3.1.3",
#   "granian~=2.8.7",
#   "orjson~=3.13",
#   "psycopg[binary,pool]~=3.3.9",
#   "redis[hiredis]~=8.1",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""The floor's reads as routes of Flask, with nothing around them: what the framework itself costs."""

from pathlib import Path

import wsgi_floor as floor
from flask import Flask, Response, request

application = Flask(__name__)


@application.get("/api/v1/items")
def items() -> Response:
    return Response(floor.page(request.args.get("cursor")), content_type="application/json")


@application.get("/api/v1/items/<uuid:_>")
def item(_: object) -> Response:
    return Response(floor.show(request.path), content_type="application/json")


@application.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    floor.serve(Path(__file__).stem)
