"""Who makes the request: https://apiflask.com/authentication/"""

from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from apiflask import HTTPTokenAuth
from sqlalchemy import bindparam, select

from app import tokens
from app.compiled import Compiled
from app.users.models import User

auth = HTTPTokenAuth(name="bearerAuth")
BY_ID = Compiled(select(User.id, User.email, User.name, User.created_at).where(User.id == bindparam("user_id")))


class Account(NamedTuple):
    """What every request wants to know of its user."""

    id: UUID
    email: str
    name: str
    created_at: datetime


def account_of(token: str) -> Account | None:
    """The token's user, unless the token is invalid or the user was deleted."""
    user_id = tokens.verify(token)
    found = BY_ID.rows(user_id=user_id) if user_id else []
    return Account(*found[0]) if found else None


auth.verify_token(account_of)


def current_user() -> Account:
    """The user of a route that has `auth_required`."""
    return cast(Account, auth.current_user)
