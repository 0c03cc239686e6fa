"""What is neither the API nor a probe."""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from app import metrics as prometheus
from app.environment import BASE_DIR

STATIC = BASE_DIR / "app" / "static"
STATIC_FILES = {
    "/static/swagger-ui": StaticFiles(packages=[("fastapi_swagger", "resources")]),
    "/static": StaticFiles(directory=STATIC),
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def index() -> FileResponse:
    return FileResponse(STATIC / "index.html")


@router.get("/docs")
async def docs() -> FileResponse:
    return FileResponse(STATIC / "docs.html")


@router.get("/metrics")
def metrics() -> Response:
    return Response(prometheus.render(), media_type=prometheus.CONTENT_TYPE)
