"""The pages that are neither the API's nor the admin's."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse

from app import metrics as prometheus

STATIC = Path(__file__).parent / "static"


def static_page(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse((STATIC / name).read_bytes())


def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(prometheus.render(), content_type=prometheus.CONTENT_TYPE)
