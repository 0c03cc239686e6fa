"""Who sends the request."""

from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app import tokens
from app.sessions import SessionDep
from app.users.models import User

# https://fastapi.tiangolo.com/reference/security/
bearer = HTTPBearer(scheme_name="bearerAuth", bearerFormat="JWT", auto_error=False)


async def current_user(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)], session: SessionDep
) -> User:
    user_id = tokens.verify(credentials.credentials) if credentials else None
    user = await session.get(User, user_id) if user_id else None
    if user is None:
        raise HTTPException(401, "A valid access token is needed.", {"WWW-Authenticate": "Bearer"})
    return user


CurrentUser = Annotated[User, Depends(current_user)]
