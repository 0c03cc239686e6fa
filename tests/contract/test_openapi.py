"""The OpenAPI document: what it says, and that all frameworks say the same."""

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.baking import BakedProject, bake
from tests.contract.client import Json
from tests.contract.variants import FRAMEWORKS
from tests.serving import Server, running

pytestmark = pytest.mark.variants("embedded", "one real")


class Operation(NamedTuple):
    operation_id: str
    tag: str
    summary: str
    success: dict[int, tuple[str | None, set[str]]]
    """For each status the schema of the body and the headers."""
    problems: set[int]
    body: str | None = None
    parameters: tuple[str, ...] = ()
    authenticated: bool = False


OPERATIONS = {
    ("post", "/api/v1/users"): Operation(
        "createUser", "users", "Sign up", {201: ("User", {"Location"})}, {400, 409, 413, 415, 422, 429}, "UserCreate"
    ),
    ("post", "/api/v1/tokens"): Operation(
        "createToken", "users", "Log in", {200: ("Token", set())}, {400, 401, 413, 415, 422, 429}, "Credentials"
    ),
    ("get", "/api/v1/users/me"): Operation(
        "getCurrentUser", "users", "Show the current user", {200: ("User", set())}, {401}, authenticated=True
    ),
    ("get", "/api/v1/items"): Operation(
        "listItems",
        "items",
        "List items, newest first",
        {200: ("ItemPage", {"Cache-Control"})},
        {422},
        parameters=("query limit", "query cursor"),
    ),
    ("post", "/api/v1/items"): Operation(
        "createItem",
        "items",
        "Create an item",
        {201: ("Item", {"Location", "ETag"})},
        {400, 401, 413, 415, 422},
        "ItemCreate",
        authenticated=True,
    ),
    ("get", "/api/v1/items/{id}"): Operation(
        "getItem",
        "items",
        "Show an item",
        {200: ("Item", {"ETag", "Cache-Control"}), 304: (None, {"ETag", "Cache-Control"})},
        {404},
        parameters=("path id", "header If-None-Match"),
    ),
    ("patch", "/api/v1/items/{id}"): Operation(
        "updateItem",
        "items",
        "Change an item",
        {200: ("Item", {"ETag"})},
        {400, 401, 403, 404, 412, 413, 415, 422},
        "ItemUpdate",
        ("path id", "header If-Match"),
        authenticated=True,
    ),
    ("delete", "/api/v1/items/{id}"): Operation(
        "deleteItem",
        "items",
        "Delete an item",
        {204: (None, set())},
        {401, 403, 404, 412},
        parameters=("path id", "header If-Match"),
        authenticated=True,
    ),
    ("post", "/api/v1/exports"): Operation(
        "createExport",
        "jobs",
        "Export the current user's items",
        {202: ("Job", {"Location"})},
        {401, 422},
        parameters=("header Idempotency-Key",),
        authenticated=True,
    ),
    ("get", "/api/v1/jobs/{id}"): Operation(
        "getJob", "jobs", "Show a job", {200: ("Job", set())}, {401, 404}, parameters=("path id",), authenticated=True
    ),
}
PROBLEM_HEADERS = {401: {"WWW-Authenticate"}, 429: {"Retry-After"}}
SCHEMAS = {
    "User", "UserCreate", "Credentials", "Token", "Owner", "Item", "ItemCreate", "ItemUpdate", "ItemPage", "Job",
    "Problem", "FieldError",
}  # fmt: skip
PARAMETER_SCHEMAS: dict[str, Json] = {
    "path id": {"type": "string", "format": "uuid"},
    "header If-None-Match": {"type": "string"},
    "header If-Match": {"type": "string"},
    "header Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255},
    "query limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20, "title": "Limit"},
    "query cursor": {
        "anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}],
        "default": None,
        "title": "Cursor",
    },
}
DESCRIPTIONS = {"query limit": "Items on the page.", "query cursor": "The `next_cursor` of the page before."}


def fetch(client: httpx.Client) -> Json:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    document: Json = response.json()
    return document


def references(node: object) -> set[str]:
    """The targets of all references below a node."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_the_document_as_a_whole(client: httpx.Client) -> None:
    document = fetch(client)
    assert document.keys() == {"openapi", "info", "paths", "components"}
    assert document["openapi"] == "3.1.0"
    assert document["info"].keys() == {"title", "version", "description"}
    assert document["components"].keys() == {"schemas", "securitySchemes"}
    assert document["components"]["securitySchemes"] == {
        "bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert document["components"]["schemas"].keys() == SCHEMAS
    assert references(document) <= {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_the_document_carries_the_projects_name(server: Server, client: httpx.Client, project: BakedProject) -> None:
    settings = tomllib.loads(project.read("pyproject.toml"))
    assert fetch(client)["info"] == {
        "title": settings["tool"]["app"]["title"],
        "version": settings["project"]["version"],
        "description": settings["project"]["description"],
    }


def test_every_operation_is_listed(client: httpx.Client) -> None:
    paths = fetch(client)["paths"]
    assert {(method, path) for path, methods in paths.items() for method in methods} == OPERATIONS.keys()


@pytest.mark.parametrize("key", OPERATIONS, ids=[operation.operation_id for operation in OPERATIONS.values()])
def test_an_operation(client: httpx.Client, key: tuple[str, str]) -> None:
    method, path = key
    expected = OPERATIONS[key]
    operation = fetch(client)["paths"][path][method]
    assert operation["operationId"] == expected.operation_id
    assert operation["tags"] == [expected.tag]
    assert operation["summary"] == expected.summary
    assert operation.get("security") == ([{"bearerAuth": []}] if expected.authenticated else None)
    assert [f"{parameter['in']} {parameter['name']}" for parameter in operation.get("parameters", [])] == list(
        expected.parameters
    )
    assert operation.get("requestBody") == (
        {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{expected.body}"}}},
        }
        if expected.body
        else None
    )
    assert operation.keys() <= {
        "operationId", "summary", "tags", "parameters", "requestBody", "responses", "security",
    }  # fmt: skip


@pytest.mark.parametrize("key", OPERATIONS, ids=[operation.operation_id for operation in OPERATIONS.values()])
def test_the_answers_of_an_operation(client: httpx.Client, key: tuple[str, str]) -> None:
    method, path = key
    expected = OPERATIONS[key]
    responses = fetch(client)["paths"][path][method]["responses"]
    assert set(map(int, responses)) == expected.success.keys() | expected.problems
    answers = {status: ("application/json", *answer) for status, answer in expected.success.items()} | {
        status: ("application/problem+json", "Problem", PROBLEM_HEADERS.get(status, set()))
        for status in expected.problems
    }
    for status, (media_type, schema, headers) in answers.items():
        response = responses[str(status)]
        assert response["description"]
        assert response.get("headers", {}).keys() == headers
        assert all(header.keys() == {"description", "schema"} for header in response.get("headers", {}).values())
        assert response.get("content") == (
            {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}} if schema else None
        )


def test_parameters(client: httpx.Client) -> None:
    for path, methods in fetch(client)["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                name = f"{parameter['in']} {parameter['name']}"
                assert parameter["required"] is (parameter["in"] == "path"), (method, path, name)
                assert parameter["schema"] == PARAMETER_SCHEMAS[name]
                assert parameter.get("description") == DESCRIPTIONS.get(name)
                assert parameter.keys() <= {"name", "in", "required", "schema", "description"}


@pytest.fixture(scope="module")
def documents(projects: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """The document of every framework by its name."""
    found = {}
    for framework in FRAMEWORKS:
        project = bake(projects, framework=framework)
        project.run("make", "install")
        database = tmp_path_factory.mktemp("documents") / "db.sqlite3"
        env = project.activated | {"DATABASE_URL": f"sqlite:///{database}"}
        with running(project, env, ("./entrypoint", "web"), ready="/health/live") as server:
            found[framework] = fetch(httpx.Client(base_url=server.base_url))
    return found


@pytest.mark.parametrize("other", FRAMEWORKS[1:])
def test_all_frameworks_say_the_same(documents: dict[str, Json], other: str) -> None:
    first, second = (json.dumps(documents[name], indent=1, sort_keys=True) for name in (FRAMEWORKS[0], other))
    assert first == second
