from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app import limits, tokens
from app.bodies import StrictRoute
from app.openapi import headers, problem_responses
from app.sessions import SessionDep
from app.users import schemas, services
from app.users.account import Account
from app.users.auth import CurrentUser
from app.users.models import User


async def client_address(request: Request) -> str:
    return request.client.host if request.client else ""


ClientAddress = Annotated[str, Depends(client_address)]

router = APIRouter(prefix="/api/v1", tags=["users"], route_class=StrictRoute)


@router.post(
    "/users",
    operation_id="createUser",
    summary="Sign up",
    status_code=201,
    response_model=schemas.User,
    responses={201: {"headers": headers("Location")}, **problem_responses(400, 409, 413, 415, 422, 429)},
)
async def create_user(
    data: schemas.UserCreate, session: SessionDep, address: ClientAddress, response: Response
) -> User:
    await limits.count(limits.SIGN_UPS_PER_ADDRESS, address)
    response.headers["Location"] = "/api/v1/users/me"
    return await services.sign_up(session, data)


@router.post(
    "/tokens",
    operation_id="createToken",
    summary="Log in",
    responses=problem_responses(400, 401, 413, 415, 422, 429),
)
async def create_token(credentials: schemas.Credentials, address: ClientAddress) -> schemas.Token:
    await limits.count(limits.LOGINS_PER_ADDRESS, address)
    await limits.count(limits.LOGINS_PER_ACCOUNT, credentials.email)
    user = await services.log_in(credentials)
    return schemas.Token(access_token=tokens.issue(user.id), expires_in=int(tokens.LIFETIME.total_seconds()))


@router.get(
    "/users/me",
    operation_id="getCurrentUser",
    summary="Show the current user",
    response_model=schemas.User,
    responses=problem_responses(401),
)
async def get_current_user(user: CurrentUser) -> Account:
    return user
