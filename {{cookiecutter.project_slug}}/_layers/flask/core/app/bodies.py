"""Requests and answers as pydantic models: what APIFlask and Flask do otherwise by themselves."""

from typing import Any, override

import orjson
from apiflask import APIBlueprint, abort
from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request, Response
from flask.json.provider import JSONProvider
from pydantic import BaseModel, ValidationError

from app.problems import field_errors

JSON = "application/json"


class Adapter(PydanticAdapter):
    """APIFlask's, but strict about media types, exact about what is wrong, and with one pass over the JSON.

    https://apiflask.com/schema/
    """

    @override
    def validate_input(self, request: Request, location: str, **kwargs: Any) -> BaseModel:
        try:
            if location == "query":
                return self.model_class.model_validate(request.args.to_dict())
            if request.mimetype != JSON:
                abort(415, f"The body must be {JSON}.")
            return self.model_class.model_validate_json(_read(request))
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
            if errors[0]["type"] == "json_invalid":
                abort(400, f"The body is not JSON. {errors[0]['msg']}")
            abort(422, detail=field_errors(errors, "query" if location == "query" else "body"))

    @override
    def serialize_output(self, data: Any, many: bool = False) -> BaseModel:
        return self.model_class.model_validate(data)


registry.register("pydantic", Adapter)


def _read(request: Request) -> bytes:
    body = request.get_data()
    # Werkzeug cuts a body that came without its length off at the limit, and says nothing.
    if len(body) == request.max_content_length and request.environ["wsgi.input"].read(1):
        abort(413)
    return body


class ORJSONProvider(JSONProvider):
    """https://flask.palletsprojects.com/en/stable/api/#flask.json.provider.JSONProvider"""

    @override
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, _encode).decode()

    @override
    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    @override
    def response(self, *args: Any, **kwargs: Any) -> Response:
        return Response(orjson.dumps(self._prepare_response_obj(args, kwargs), _encode), mimetype=JSON)


def _encode(value: object) -> orjson.Fragment:
    if isinstance(value, BaseModel):
        return orjson.Fragment(value.model_dump_json())
    raise TypeError


# The domains take their blueprints from here, so that the decorators find the adapter.
__all__ = ["JSON", "APIBlueprint", "ORJSONProvider"]
