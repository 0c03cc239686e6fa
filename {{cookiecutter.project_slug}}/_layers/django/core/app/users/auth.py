"""Who sends a request: https://django-ninja.dev/guides/authentication/"""

from typing import override

from django.http import HttpRequest
from ninja.security import HttpBearer

from app import tokens
from app.compiled import Compiled, Parameter
from app.users.models import User

FIELDS = [field.attname for field in User._meta.concrete_fields]
active = Compiled(User.objects.filter(id=Parameter(User._meta.pk, "id"), is_active=True).values_list(*FIELDS))


class AuthenticatedRequest(HttpRequest):
    """The request of a route that asks for `bearer`."""

    auth: User


class Bearer(HttpBearer):
    @override
    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user_id = tokens.verify(token)
        rows = active.rows(id=user_id) if user_id else []
        return User.from_db(User.objects.db, FIELDS, rows[0]) if rows else None


bearer = Bearer()
