"""Which URL leads where."""

from collections.abc import Callable

from django.contrib import admin
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from app import handlers, health, pages
from app.api import API, JSONParser
from app.environment import PROJECT, TITLE


def read_only[**P, R: HttpResponseBase](view: Callable[P, R]) -> Callable[P, R]:
    """Let only GET and HEAD through, without the CSRF check, which would refuse a POST with 403 before."""
    return csrf_exempt(require_safe(view))


api = API(
    title=TITLE,
    version=PROJECT["version"],
    description=PROJECT["description"],
    parser=JSONParser(),
    urls_namespace="api",
    docs_url=None,
    docs_decorator=read_only,
)
for domain in ("users", "items", "jobs"):
    api.add_router("", f"app.{domain}.api.router", tags=[domain])
handlers.install(api)

admin.site.site_header = admin.site.site_title = TITLE

urlpatterns = [
    path("", read_only(pages.static_page), {"name": "index.html"}),
    path("docs", read_only(pages.static_page), {"name": "docs.html"}),
    path("api/v1/", api.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("health/live", read_only(health.live)),
    path("health/ready", read_only(health.ready)),
    path("metrics", read_only(pages.metrics)),
]
# https://docs.djangoproject.com/en/6.1/topics/http/views/#customizing-error-views
handler400 = handlers.bad_request
handler404 = handlers.not_found
handler500 = handlers.server_error
