"""The OpenAPI document: APIFlask's, in the project's own style."""

from http import HTTPStatus
from typing import Any

from apiflask import APIFlask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.openapi import problem_responses
from app.problems import Problem

type Object = dict[str, Any]


def init_app(app: APIFlask) -> None:
    @app.spec_processor
    def finish(document: Object | str) -> Object | str:
        """https://apiflask.com/openapi/#openapi-spec-processor"""
        if isinstance(document, dict):
            del document["tags"]
            document["components"]["schemas"] = _schemas(app)
            for path in document["paths"].values():
                for operation in path.values():
                    _finish(operation)
        return document


def responses(headers: dict[int, Object], *problems: int) -> dict[int | str, Object]:
    """The OpenAPI responses of a route: the headers of its successes, and the statuses of its problems."""
    successes: dict[int | str, Object] = {
        status: {"headers": names} if names else {} for status, names in headers.items()
    }
    return successes | problem_responses(*problems)


def header_parameter(name: str, **schema: int) -> Object:
    """The OpenAPI object of a request header."""
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string", **schema}}


def _schemas(app: APIFlask) -> Object:
    """Every model that the routes take or give, as pydantic itself describes them."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    for view in app.view_functions.values():
        spec = getattr(view, "_spec", {})
        if "body" in spec:
            models.append((spec["body"], "validation"))
        if spec.get("response", {}).get("schema"):
            models.append((spec["response"]["schema"], "serialization"))
    _, schemas = models_json_schema(models, ref_template="#/components/schemas/{model}")
    return dict(schemas["$defs"])


def _finish(operation: Object) -> None:
    if not operation["parameters"]:
        del operation["parameters"]
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        if parameter["in"] == "path":
            schema["format"] = "uuid"
        if "description" in schema:
            parameter["description"] = schema.pop("description")
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    for status, response in operation["responses"].items():
        response["description"] = HTTPStatus(int(status)).phrase
        if not response.get("content"):
            response.pop("content", None)
