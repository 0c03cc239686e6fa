"""The OpenAPI document: FastAPI's, in the project's own style."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from app.problems import MEDIA_TYPE, Problem

type Object = dict[str, Any]


class DocumentedAPI(FastAPI):
    def openapi(self) -> Object:
        """https://fastapi.tiangolo.com/how-to/extending-openapi/"""
        finished = self.openapi_schema is not None
        document = super().openapi()
        if not finished:
            _finish(document)
        return document


def _finish(document: Object) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            _finish_operation(operation)
    _, problem = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    schemas |= problem["$defs"]
    # FastAPI's own errors, which no route answers with.
    del schemas["HTTPValidationError"], schemas["ValidationError"]


def _finish_operation(operation: Object) -> None:
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        schema.pop("description", None)
        match parameter["in"]:
            case "path":
                del schema["title"]
            case "header":
                # A header is there or is not; it cannot be null.
                parameter["schema"] = schema["anyOf"][0]
            case "query":
                # FastAPI leaves a default out that is null.
                schema.setdefault("default", None)
    responses = operation["responses"]
    if MEDIA_TYPE not in responses.get("422", {}).get("content", {MEDIA_TYPE: {}}):
        del responses["422"]
    for status, response in responses.items():
        response["description"] = HTTPStatus(int(status)).phrase
