"""Who makes the request: https://apiflask.com/authentication/"""

from typing import cast

from apiflask import HTTPTokenAuth

from app import tokens
from app.users.account import BY_ID, Account

auth = HTTPTokenAuth(name="bearerAuth")


def account_of(token: str) -> Account | None:
    """The token's user, unless the token is invalid or the user was deleted."""
    user_id = tokens.verify(token)
    found = BY_ID.rows(user_id=user_id) if user_id else []
    return Account(*found[0]) if found else None


auth.verify_token(account_of)


def current_user() -> Account:
    """The user of a route that has `auth_required`."""
    return cast(Account, auth.current_user)
