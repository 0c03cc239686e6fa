"""Who sends the request."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app import tokens
from app.sessions import read
from app.users.account import BY_ID, Account

# https://fastapi.tiangolo.com/reference/security/
bearer = HTTPBearer(scheme_name="bearerAuth", bearerFormat="JWT", auto_error=False)


async def current_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Account:
    user_id = tokens.verify(credentials.credentials) if credentials else None
    found = await read(request, BY_ID, user_id=user_id) if user_id else ()
    if not found:
        raise HTTPException(401, "A valid access token is needed.", {"WWW-Authenticate": "Bearer"})
    return Account(*found[0])


CurrentUser = Annotated[Account, Depends(current_user)]
