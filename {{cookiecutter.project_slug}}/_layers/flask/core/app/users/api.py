from hashlib import blake2b

from flask import request

from app import tokens
from app.bodies import APIBlueprint
from app.document import responses
from app.limits import LOGINS_PER_ACCOUNT, LOGINS_PER_ADDRESS, SIGN_UPS_PER_ADDRESS, limiter
from app.openapi import headers
from app.users import services
from app.users.auth import auth, current_user
from app.users.schemas import Credentials, Token, User, UserCreate

users = APIBlueprint("users", __name__, tag="users")


def account() -> str:
    """Whose password is tried. The e-mail address itself would stand where tries are counted."""
    email = Credentials.model_validate_json(request.get_data()).email
    return blake2b(email.encode(), digest_size=16).hexdigest()


@users.post("/users")
@users.input(UserCreate, arg_name="data")
@users.output(User, status_code=201)
@users.doc(
    operation_id="createUser",
    summary="Sign up",
    responses=responses({201: headers("Location")}, 400, 409, 413, 415, 422, 429),
)
@limiter.limit(SIGN_UPS_PER_ADDRESS)
def create_user(data: UserCreate) -> tuple[User, int, dict[str, str]]:
    return User.model_validate(services.sign_up(data)), 201, {"Location": "/api/v1/users/me"}


@users.post("/tokens")
@users.input(Credentials, arg_name="credentials")
@users.output(Token)
@users.doc(operation_id="createToken", summary="Log in", responses=responses({}, 400, 401, 413, 415, 422, 429))
@limiter.limit(LOGINS_PER_ADDRESS)
@limiter.limit(LOGINS_PER_ACCOUNT, key_func=account)
def create_token(credentials: Credentials) -> Token:
    user = services.log_in(credentials)
    return Token(access_token=tokens.issue(user.id), expires_in=int(tokens.LIFETIME.total_seconds()))


@users.get("/users/me")
@users.auth_required(auth)
@users.output(User)
@users.doc(operation_id="getCurrentUser", summary="Show the current user", responses=responses({}, 401))
def get_current_user() -> User:
    return User.model_validate(current_user())
