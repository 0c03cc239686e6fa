"""Who sends a request: https://django-ninja.dev/guides/authentication/"""

from typing import override

from django.http import HttpRequest
from ninja.security import HttpBearer

from app import tokens
from app.users.models import User


class AuthenticatedRequest(HttpRequest):
    """The request of a route that asks for `bearer`."""

    auth: User


class Bearer(HttpBearer):
    @override
    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user_id = tokens.verify(token)
        return User.objects.filter(id=user_id, is_active=True).first() if user_id else None


bearer = Bearer()
