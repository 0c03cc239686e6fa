from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Response
from pydantic import AfterValidator, StringConstraints

from app.bodies import StrictRoute
from app.jobs import schemas, services
from app.jobs.models import Job
from app.openapi import headers, problem_responses
from app.sessions import SessionDep
from app.users.auth import CurrentUser


def printable(key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise ValueError("must be printable ASCII characters")
    return key


Key = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(printable)]
IdempotencyKey = Annotated[Key | None, Header(alias="Idempotency-Key")]

router = APIRouter(prefix="/api/v1", tags=["jobs"], route_class=StrictRoute)


@router.post(
    "/exports",
    operation_id="createExport",
    summary="Export the current user's items",
    status_code=202,
    response_model=schemas.Job,
    responses={202: {"headers": headers("Location")}, **problem_responses(401, 422)},
)
async def create_export(
    user: CurrentUser, session: SessionDep, response: Response, idempotency_key: IdempotencyKey = None
) -> Job:
    job = await services.request_export(session, user, idempotency_key)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get(
    "/jobs/{id}",
    operation_id="getJob",
    summary="Show a job",
    response_model=schemas.Job,
    responses=problem_responses(401, 404),
)
async def get_job(user: CurrentUser, job_id: Annotated[UUID, Path(alias="id")], session: SessionDep) -> Job:
    return await services.show(session, job_id, user)
