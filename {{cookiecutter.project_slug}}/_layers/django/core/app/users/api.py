from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import AuthenticationError, HttpError

from app import limits, tokens
from app.api import json_response
from app.openapi import headers, problem_responses
from app.users import schemas
from app.users.auth import AuthenticatedRequest, bearer
from app.users.models import User

router = Router()


@router.post(
    "/users",
    operation_id="createUser",
    summary="Sign up",
    response={201: schemas.User},
    openapi_extra={
        "responses": {201: {"headers": headers("Location")}, **problem_responses(400, 409, 413, 415, 422, 429)}
    },
)
def create_user(request: HttpRequest, data: schemas.UserCreate) -> HttpResponse:
    limits.count(limits.SIGN_UPS_PER_ADDRESS, request.META["REMOTE_ADDR"])
    try:
        user = User.objects.create_user(**data.model_dump())
    except IntegrityError as error:
        raise HttpError(409, "An account with this e-mail address exists.") from error
    return json_response(schemas.User.model_validate(user), 201, {"Location": "/api/v1/users/me"})


@router.post(
    "/tokens",
    operation_id="createToken",
    summary="Log in",
    response=schemas.Token,
    openapi_extra={"responses": problem_responses(400, 401, 413, 415, 422, 429)},
)
def create_token(request: HttpRequest, data: schemas.Credentials) -> HttpResponse:
    limits.count(limits.LOGINS_PER_ADDRESS, request.META["REMOTE_ADDR"])
    limits.count(limits.LOGINS_PER_ACCOUNT, data.email)
    # Takes as long for an unknown account, and renews the hash when its parameters have changed.
    user = authenticate(request, email=data.email, password=data.password)
    if user is None:
        raise AuthenticationError(message="The e-mail address or the password is wrong.")
    token = schemas.Token(access_token=tokens.issue(user.pk), expires_in=int(tokens.LIFETIME.total_seconds()))
    return json_response(token)


@router.get(
    "/users/me",
    auth=bearer,
    operation_id="getCurrentUser",
    summary="Show the current user",
    response=schemas.User,
    openapi_extra={"responses": problem_responses(401)},
)
def get_current_user(request: AuthenticatedRequest) -> HttpResponse:
    return json_response(schemas.User.model_validate(request.auth))
