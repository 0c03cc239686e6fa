"""The API's framework, Django Ninja, told what this API wants: https://django-ninja.dev/reference/api/"""

import json
from functools import cached_property
from typing import Any, override

import orjson
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.problems import Problem

JSON = "application/json"
SCHEMAS = "#/components/schemas/"


def json_response(value: BaseModel | bytes, status: int = 200, headers: dict[str, str] | None = None) -> HttpResponse:
    body = value if isinstance(value, bytes) else value.model_dump_json()
    return HttpResponse(body, status=status, content_type=JSON, headers=headers)


def header_parameter(name: str) -> dict[str, Any]:
    """The OpenAPI object of a request header that Django reads, not Ninja."""
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


class JSONParser(Parser):
    @override
    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != JSON:
            raise HttpError(415, f"The body must be {JSON}.")
        return orjson.loads(request.body)


class API(NinjaAPI):
    @override
    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        return self._document

    @cached_property
    def _document(self) -> OpenAPISchema:
        """Ninja's document with the shared schema of problems, and without what says nothing."""
        document = super().get_openapi_schema()
        del document["servers"]
        for path in document["paths"].values():
            for operation in path.values():
                _tidy(operation)
        _, problem = models_json_schema([(Problem, "serialization")], ref_template=SCHEMAS + "{model}")
        schemas = document["components"]["schemas"] | problem["$defs"]
        text = json.dumps([document["paths"], schemas])
        document["components"] = {
            "schemas": {name: schema for name, schema in schemas.items() if f'"{SCHEMAS}{name}"' in text},
            "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        }
        return document


def _tidy(operation: dict[str, Any]) -> None:
    if "security" in operation:
        operation["security"] = [{"bearerAuth": []}]
    parameters = [_parameter(**parameter) for parameter in operation.pop("parameters")]
    if parameters:
        operation["parameters"] = parameters


def _parameter(schema: dict[str, Any], **parameter: object) -> dict[str, Any]:
    """A query's schema as pydantic has it, with a default of null; a path's or a header's is that of its string."""
    in_query = parameter["in"] == "query"
    left_out = ("description",) if in_query else ("description", "title", "default")
    kept = {key: value for key, value in schema.items() if key not in left_out}
    return parameter | {"schema": {"default": None} | kept if in_query else kept}
