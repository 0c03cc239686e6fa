"""What is neither the API nor a probe."""

from importlib.resources import files

from flask import Blueprint, Response, current_app, send_from_directory

from app import metrics as prometheus

SWAGGER_UI = str(files("flask_swagger_ui") / "dist")

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> Response:
    return current_app.send_static_file("index.html")


@pages.get("/docs")
def docs() -> Response:
    return current_app.send_static_file("docs.html")


@pages.get("/static/swagger-ui/<path:name>")
def swagger_ui(name: str) -> Response:
    return send_from_directory(SWAGGER_UI, name)


@pages.get("/metrics")
def metrics() -> Response:
    return Response(prometheus.render(), content_type=prometheus.CONTENT_TYPE)
