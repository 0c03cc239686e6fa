from uuid import UUID

from flask import Response, request

from app.bodies import JSON, APIBlueprint
from app.document import header_parameter, responses
from app.items import services
from app.items.schemas import Item, ItemCreate, ItemPage, ItemUpdate, PageQuery
from app.openapi import headers
from app.users.auth import auth, current_user

items = APIBlueprint("items", __name__, tag="items")


@items.get("/items")
@items.input(PageQuery, location="query", arg_name="page")
@items.output(ItemPage)
@items.doc(
    operation_id="listItems",
    summary="List items, newest first",
    responses=responses({200: headers("Cache-Control")}, 422),
)
def list_items(page: PageQuery) -> Response:
    return Response(services.page(page.limit, page.cursor), headers=cache_headers(), content_type=JSON)


@items.post("/items")
@items.auth_required(auth)
@items.input(ItemCreate, arg_name="data")
@items.output(Item, status_code=201)
@items.doc(
    operation_id="createItem",
    summary="Create an item",
    responses=responses({201: headers("Location", "ETag")}, 400, 401, 413, 415, 422),
)
def create_item(data: ItemCreate) -> Response:
    item_id, body = services.create(current_user(), data)
    return item_response(body, 201, {"Location": f"/api/v1/items/{item_id}"})


@items.get("/items/<uuid:id>")
@items.output(Item)
@items.doc(
    operation_id="getItem",
    summary="Show an item",
    responses=responses(dict.fromkeys((200, 304), headers("ETag", "Cache-Control")), 404),
    extensions={"parameters": [header_parameter("If-None-Match")]},
)
def get_item(id: UUID) -> Response:
    response = item_response(services.show(id), 200, cache_headers())
    if request.if_none_match.contains_weak(response.get_etag()[0] or ""):
        response.status_code = 304
        response.set_data(b"")
    return response


@items.patch("/items/<uuid:id>")
@items.auth_required(auth)
@items.input(ItemUpdate, arg_name="changes")
@items.output(Item)
@items.doc(
    operation_id="updateItem",
    summary="Change an item",
    responses=responses({200: headers("ETag")}, 400, 401, 403, 404, 412, 413, 415, 422),
    extensions={"parameters": [header_parameter("If-Match")]},
)
def update_item(id: UUID, changes: ItemUpdate) -> Response:
    return item_response(services.encode(services.update(id, current_user(), changes, request.if_match)))


@items.delete("/items/<uuid:id>")
@items.auth_required(auth)
@items.doc(
    operation_id="deleteItem",
    summary="Delete an item",
    responses=responses({204: {}}, 401, 403, 404, 412),
    extensions={"parameters": [header_parameter("If-Match")]},
)
def delete_item(id: UUID) -> Response:
    services.delete(id, current_user(), request.if_match)
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def item_response(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(body, status, headers, content_type=JSON)
    response.set_etag(services.etag(body))
    return response


def cache_headers() -> dict[str, str]:
    """A shared cache may keep what anybody may see, never the answer to somebody who is logged in."""
    private = "Authorization" in request.headers
    return {"Cache-Control": "private, no-store" if private else "public, max-age=5", "Vary": "Authorization"}
