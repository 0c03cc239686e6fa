from typing import Annotated
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Header, Path, Router
from pydantic import AfterValidator

from app.api import json_response
from app.jobs import schemas, services
from app.jobs.models import Job
from app.openapi import headers, problem_responses
from app.users.auth import AuthenticatedRequest, bearer


def printable(key: str) -> str:
    if not (key.isascii() and key.isprintable()):
        raise ValueError("must be printable ASCII characters")
    return key


IdempotencyKey = Annotated[
    str, AfterValidator(printable), Header(default="", alias="Idempotency-Key", min_length=1, max_length=255)
]

router = Router()


@router.post(
    "/exports",
    auth=bearer,
    operation_id="createExport",
    summary="Export the current user's items",
    response={202: schemas.Job},
    openapi_extra={"responses": {202: {"headers": headers("Location")}, **problem_responses(401, 422)}},
)
def create_export(request: AuthenticatedRequest, idempotency_key: IdempotencyKey) -> HttpResponse:
    job = services.request_export(request.auth, idempotency_key)
    return json_response(schemas.Job.model_validate(job), 202, {"Location": f"/api/v1/jobs/{job.id}"})


@router.get(
    "/jobs/{id}",
    auth=bearer,
    operation_id="getJob",
    summary="Show a job",
    response=schemas.Job,
    openapi_extra={"responses": problem_responses(401, 404)},
)
def get_job(request: AuthenticatedRequest, job_id: Annotated[UUID, Path(alias="id")]) -> HttpResponse:
    job = get_object_or_404(Job, id=job_id, owner=request.auth)
    return json_response(schemas.Job.model_validate(job))
