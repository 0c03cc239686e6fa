"""Who makes the request: https://apiflask.com/authentication/"""

from typing import cast

from apiflask import HTTPTokenAuth

from app import tokens
from app.database import db
from app.users.models import User

auth = HTTPTokenAuth(name="bearerAuth")


def user_of(token: str) -> User | None:
    """The token's user, unless the token is invalid or the user was deleted."""
    user_id = tokens.verify(token)
    if user_id is None:
        return None
    with db.session.begin():
        return db.session.get(User, user_id)


auth.verify_token(user_of)


def current_user() -> User:
    """The user of a route that has `auth_required`."""
    return cast(User, auth.current_user)
