from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.applications import FastAPI
from httpx import ASGITransport, AsyncClient

from app.routing import DirectRoute


def forbid() -> None:
    """Stands for a check of permissions."""


def test_a_direct_route_has_no_dependencies() -> None:
    router = APIRouter(route_class=DirectRoute, dependencies=[Depends(forbid)])
    with pytest.raises(TypeError, match="has dependencies"):

        @router.get("/")
        async def read(request: Request) -> Response:
            return Response()


async def test_a_direct_route_validates_its_parameters() -> None:
    router = APIRouter(route_class=DirectRoute)

    @router.get("/double/{number}")
    async def double(request: Request, number: int, plus: Annotated[int, Query(le=9)] = 1) -> Response:
        return Response(str(2 * number + plus))

    app = FastAPI()
    app.include_router(router)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/double/21")).text == "43"
        assert (await client.get("/double/21?plus=3")).text == "45"
        assert (await client.get("/double/21?plus=10")).status_code == 422
        assert (await client.get("/double/many")).status_code == 422
        assert (await client.post("/double/21")).status_code == 405
