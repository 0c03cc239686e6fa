from typing import Annotated
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from ninja import Path, Query, Router
from ninja.errors import AuthorizationError, HttpError

from app.api import header_parameter, json_response
from app.items import schemas, services
from app.items.models import Item
from app.openapi import headers, problem_responses
from app.users.auth import AuthenticatedRequest, bearer

ItemId = Annotated[UUID, Path(alias="id")]

router = Router()


@router.get(
    "/items",
    operation_id="listItems",
    summary="List items, newest first",
    response=schemas.ItemPage,
    openapi_extra={"responses": {200: {"headers": headers("Cache-Control")}, **problem_responses(422)}},
)
def list_items(request: HttpRequest, query: Query[schemas.PageQuery]) -> HttpResponse:
    return json_response(services.page(query), headers=caching(request))


@router.post(
    "/items",
    auth=bearer,
    operation_id="createItem",
    summary="Create an item",
    response={201: schemas.Item},
    openapi_extra={
        "responses": {201: {"headers": headers("Location", "ETag")}, **problem_responses(400, 401, 413, 415, 422)}
    },
)
def create_item(request: AuthenticatedRequest, data: schemas.ItemCreate) -> HttpResponse:
    item = Item.objects.create(owner=request.auth, **data.model_dump())
    body = services.encode(item)
    return json_response(body, 201, {"Location": f"/api/v1/items/{item.id}", "ETag": services.etag(body)})


@router.get(
    "/items/{id}",
    operation_id="getItem",
    summary="Show an item",
    response={200: schemas.Item, 304: None},
    openapi_extra={
        "parameters": [header_parameter("If-None-Match")],
        "responses": {
            200: {"headers": headers("ETag", "Cache-Control")},
            304: {"headers": headers("ETag", "Cache-Control")},
            **problem_responses(404),
        },
    },
)
def get_item(request: HttpRequest, item_id: ItemId) -> HttpResponseBase:
    body = services.read(item_id)
    etag = services.etag(body)
    response = json_response(body, headers=caching(request) | {"ETag": etag})
    return get_conditional_response(request, etag=etag, response=response) or response


@router.patch(
    "/items/{id}",
    auth=bearer,
    operation_id="updateItem",
    summary="Change an item",
    response=schemas.Item,
    openapi_extra={
        "parameters": [header_parameter("If-Match")],
        "responses": {
            200: {"headers": headers("ETag")},
            **problem_responses(400, 401, 403, 404, 412, 413, 415, 422),
        },
    },
)
@transaction.atomic
def update_item(request: AuthenticatedRequest, item_id: ItemId, data: schemas.ItemUpdate) -> HttpResponse:
    item = item_to_change(request, item_id)
    changes = data.model_dump(exclude_unset=True)
    for field, value in changes.items():
        setattr(item, field, value)
    if changes:
        item.save(update_fields=[*changes, "updated_at"])
    body = services.encode(item)
    return json_response(body, headers={"ETag": services.etag(body)})


@router.delete(
    "/items/{id}",
    auth=bearer,
    operation_id="deleteItem",
    summary="Delete an item",
    response={204: None},
    openapi_extra={
        "parameters": [header_parameter("If-Match")],
        "responses": problem_responses(401, 403, 404, 412),
    },
)
@transaction.atomic
def delete_item(request: AuthenticatedRequest, item_id: ItemId) -> HttpResponse:
    item_to_change(request, item_id).delete()
    return HttpResponse(status=204)


def item_to_change(request: AuthenticatedRequest, item_id: UUID) -> Item:
    """The item, locked until the transaction ends, if the user may change it and has seen its current version."""
    item = get_object_or_404(Item.objects.select_related("owner").select_for_update(of=("self",)), id=item_id)
    if item.owner_id != request.auth.id:
        raise AuthorizationError(message="Only its owner may change this item.")
    if_match = request.headers.get("If-Match")
    if if_match is not None and not {"*", services.etag(services.encode(item))}.intersection(parse_etags(if_match)):
        raise HttpError(412, "The item has changed since it was read.")
    return item


def caching(request: HttpRequest) -> dict[str, str]:
    """Headers that let a CDN keep what everybody may see, but no answer to somebody who is logged in."""
    public = "HTTP_AUTHORIZATION" not in request.META
    return {"Cache-Control": "public, max-age=5" if public else "private, no-store", "Vary": "Authorization"}
