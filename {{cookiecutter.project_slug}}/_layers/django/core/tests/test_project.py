"""What must hold of the project as a whole."""

import os
import subprocess
import sys
from contextlib import closing

from django.core.management import call_command
from django.test import Client

from app.environment import BASE_DIR, SCHEMES


def test_migrations_are_complete() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_production_settings_are_safe() -> None:
    """https://docs.djangoproject.com/en/6.1/howto/deployment/checklist/"""
    production = {"ENVIRONMENT": "production", "SECRET_KEY": "0123456789abcdef" * 4, "ALLOWED_HOSTS": "example.com"}
    production["SECRET_KEY_FALLBACKS"] = ""
    production |= {name.upper(): f"{schemes[0]}://server.example.com/0" for name, schemes in SCHEMES.items() if schemes}
    check = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    env = os.environ | production | {"DJANGO_SETTINGS_MODULE": "app.settings"}
    done = subprocess.run(check, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_the_api_document(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert document["openapi"] == "3.1.0"
    assert {operation["operationId"] for operation in operations} == {
        "createUser",
        "createToken",
        "getCurrentUser",
        "listItems",
        "createItem",
        "getItem",
        "updateItem",
        "deleteItem",
        "createExport",
        "getJob",
    }
    assert "Problem" in document["components"]["schemas"]
    assert not any("description" in operation for operation in operations)


def test_the_pages(client: Client) -> None:
    for page in ("/", "/docs"):
        assert client.get(page).content.startswith(b"<!doctype html>")
    for file in ("style.css", "swagger-ui/swagger-ui-bundle.js", "swagger-ui/swagger-ui.css", "admin/css/base.css"):
        with closing(client.get(f"/static/{file}")) as response:
            assert response.status_code == 200
