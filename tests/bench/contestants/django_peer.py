# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "django~=6.1.3",
#   "djangorestframework~=3.16",
#   "gunicorn~=23.0",
#   "psycopg[binary]~=3.3.9",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""Django as its best known template sets it up: REST framework, one transaction a request, gunicorn's sync workers.

https://cookiecutter-django.readthedocs.io/en/latest/
"""

import os
import sys
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings

ITEMS, USERS, _ = os.environ["TABLES"].split()
database = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="of a benchmark",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path[1:],
            "USER": database.username,
            "PASSWORD": unquote(database.password or ""),
            "HOST": database.hostname,
            "PORT": database.port,
            "ATOMIC_REQUESTS": True,
            "CONN_MAX_AGE": 60,
        }
    },
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]},
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402


class User(models.Model):
    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)

    class Meta:
        app_label, db_table, managed = "bench", USERS, False


class Item(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label, db_table, managed = "bench", ITEMS, False


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "name")


class ItemSerializer(serializers.ModelSerializer):
    owner = UserSerializer(read_only=True)

    class Meta:
        model = Item
        fields = ("id", "title", "body", "owner", "created_at", "updated_at")


class Items(viewsets.ModelViewSet):
    serializer_class = ItemSerializer

    def get_queryset(self) -> models.QuerySet:
        items = Item.objects.select_related("owner")
        if after := self.request.query_params.get("cursor"):
            items = items.filter(id__lt=after)
        return items

    def list(self, request: Request) -> Response:
        data = self.get_serializer(self.get_queryset().order_by("-id")[:20], many=True).data
        return Response({"items": data, "next_cursor": data[-1]["id"]})

    def perform_create(self, serializer: ItemSerializer) -> None:
        serializer.save(owner_id=os.environ["OWNER"])


def live(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


router = routers.DefaultRouter(trailing_slash=False)
router.register("items", Items, basename="item")
urlpatterns = [path("api/v1/", include(router.urls)), path("health/live", live)]
application = get_wsgi_application()

if __name__ == "__main__":
    gunicorn = Path(sys.executable).parent / "gunicorn"
    bind = f"127.0.0.1:{os.environ['PORT']}"
    arguments = ["gunicorn", "--bind", bind, "--workers", os.environ["WORKERS"], "--log-level", "warning"]
    os.chdir(Path(__file__).parent)
    os.execv(gunicorn, [*arguments, "django_peer:application"])
