# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "argon2-cffi~=25.1",
#   "django~=6.1.3",
#   "granian~=2.8.7",
#   "orjson~=3.13",
#   "psycopg[binary,pool]~=3.3.9",
#   "redis[hiredis]~=8.1",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""The floor's reads as views of Django, with no middleware around them: what the framework itself costs."""

from pathlib import Path

import django
import wsgi_floor as floor
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

NAME = Path(__file__).stem
# The process that serves is a fork of one that has read this already.
if not settings.configured:
    settings.configure(ALLOWED_HOSTS=["127.0.0.1"], MIDDLEWARE=[], ROOT_URLCONF=NAME)
    django.setup()


def items(request: HttpRequest) -> HttpResponse:
    return HttpResponse(floor.page(request.GET.get("cursor")), content_type="application/json")


def item(request: HttpRequest, _: object) -> HttpResponse:
    return HttpResponse(floor.show(request.path), content_type="application/json")


def live(_: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [path("api/v1/items", items), path("api/v1/items/<uuid:_>", item), path("health/live", live)]
application = get_wsgi_application()

if __name__ == "__main__":
    floor.serve(NAME)
