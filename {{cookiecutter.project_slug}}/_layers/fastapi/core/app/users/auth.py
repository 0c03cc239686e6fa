"""Who sends the request."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import bindparam, select

from app import tokens
from app.compiled import Compiled
from app.sessions import read
from app.users.models import User

# https://fastapi.tiangolo.com/reference/security/
bearer = HTTPBearer(scheme_name="bearerAuth", bearerFormat="JWT", auto_error=False)


BY_ID = Compiled(select(User.id, User.email, User.name, User.created_at).where(User.id == bindparam("user_id")))


class Account(NamedTuple):
    """What every request wants to know of its user."""

    id: UUID
    email: str
    name: str
    created_at: datetime


async def current_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Account:
    user_id = tokens.verify(credentials.credentials) if credentials else None
    found = await read(request, BY_ID, user_id=user_id) if user_id else ()
    if not found:
        raise HTTPException(401, "A valid access token is needed.", {"WWW-Authenticate": "Bearer"})
    return Account(*found[0])


CurrentUser = Annotated[Account, Depends(current_user)]
