from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.items.schemas import ItemUpdate
from app.users.schemas import Token

OPERATIONS = {
    "createUser": "201 400 409 413 415 422 429",
    "createToken": "200 400 401 413 415 422 429",
    "getCurrentUser": "200 401",
    "listItems": "200 422",
    "createItem": "201 400 401 413 415 422",
    "getItem": "200 304 404",
    "updateItem": "200 400 401 403 404 412 413 415 422",
    "deleteItem": "204 401 403 404 412",
    "createExport": "202 401 422",
    "getJob": "200 401 404",
}


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/v1/openapi.json").get_json())


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_operation_says_what_it_answers(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert {
        operation["operationId"]: " ".join(sorted(operation["responses"])) for operation in operations
    } == OPERATIONS


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert {reference.removeprefix("#/components/schemas/") for reference in references(document)} == schemas.keys()


def test_the_schemas_are_pydantics_own(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Token"] == Token.model_json_schema(mode="serialization")
    assert schemas["ItemUpdate"] == ItemUpdate.model_json_schema(mode="validation")


def test_a_request_header(document: dict[str, Any]) -> None:
    (key,) = document["paths"]["/api/v1/exports"]["post"]["parameters"]
    assert key == {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
