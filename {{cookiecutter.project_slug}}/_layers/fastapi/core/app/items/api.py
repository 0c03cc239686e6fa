from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response

from app.bodies import StrictRoute, json_response
from app.etags import etag, matches
from app.items import schemas, services
from app.openapi import headers, problem_responses
from app.routing import DirectRoute
from app.sessions import SessionDep, read
from app.users.auth import CurrentUser


def cache_headers(request: Request) -> dict[str, str]:
    """A shared cache may keep what anybody may see, never the answer to somebody who is logged in."""
    private = "Authorization" in request.headers
    return {"Cache-Control": "private, no-store" if private else "public, max-age=5", "Vary": "Authorization"}


IfMatch = Annotated[str | None, Header(alias="If-Match")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match")]

router = APIRouter(prefix="/api/v1", tags=["items"], route_class=StrictRoute)
# What everybody may read, and does.
public = APIRouter(prefix="/api/v1", tags=["items"], route_class=DirectRoute)


@public.get(
    "/items",
    operation_id="listItems",
    summary="List items, newest first",
    response_model=schemas.ItemPage,
    responses={200: {"headers": headers("Cache-Control")}, **problem_responses(422)},
)
async def list_items(request: Request, page: Annotated[schemas.PageQuery, Query()]) -> Response:
    body = await services.page(partial(read, request), page.limit, page.cursor)
    return json_response(body, headers=cache_headers(request))


@router.post(
    "/items",
    operation_id="createItem",
    summary="Create an item",
    status_code=201,
    response_model=schemas.Item,
    responses={201: {"headers": headers("Location", "ETag")}, **problem_responses(400, 401, 413, 415, 422)},
)
async def create_item(user: CurrentUser, data: schemas.ItemCreate) -> Response:
    item_id, body = await services.create(user, data)
    return json_response(body, 201, {"Location": f"/api/v1/items/{item_id}", "ETag": etag(body)})


@public.get(
    "/items/{id}",
    operation_id="getItem",
    summary="Show an item",
    response_model=schemas.Item,
    responses={
        200: {"headers": headers("ETag", "Cache-Control")},
        304: {"headers": headers("ETag", "Cache-Control")},
        **problem_responses(404),
    },
)
async def get_item(
    request: Request, item_id: Annotated[UUID, Path(alias="id")], if_none_match: IfNoneMatch = None
) -> Response:
    body = await services.show(item_id)
    tag = etag(body)
    headers = {"ETag": tag, **cache_headers(request)}
    if if_none_match is not None and matches(if_none_match, tag, weakly=True):
        return Response(status_code=304, headers=headers)
    return json_response(body, headers=headers)


@router.patch(
    "/items/{id}",
    operation_id="updateItem",
    summary="Change an item",
    response_model=schemas.Item,
    responses={200: {"headers": headers("ETag")}, **problem_responses(400, 401, 403, 404, 412, 413, 415, 422)},
)
async def update_item(
    user: CurrentUser,
    item_id: Annotated[UUID, Path(alias="id")],
    changes: schemas.ItemUpdate,
    session: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    body = services.encode(await services.update(session, item_id, user, changes, if_match))
    return json_response(body, headers={"ETag": etag(body)})


@router.delete(
    "/items/{id}",
    operation_id="deleteItem",
    summary="Delete an item",
    status_code=204,
    responses=problem_responses(401, 403, 404, 412),
)
async def delete_item(
    user: CurrentUser, item_id: Annotated[UUID, Path(alias="id")], session: SessionDep, if_match: IfMatch = None
) -> Response:
    await services.delete(session, item_id, user, if_match)
    return Response(status_code=204)
