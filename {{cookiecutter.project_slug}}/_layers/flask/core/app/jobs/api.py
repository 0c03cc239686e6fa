import re
from uuid import UUID

from apiflask import abort
from flask import request

from app.bodies import APIBlueprint
from app.document import header_parameter, responses
from app.jobs import services
from app.jobs.schemas import Job
from app.openapi import headers
from app.problems import FieldError
from app.users.auth import auth, current_user

jobs = APIBlueprint("jobs", __name__, tag="jobs")


@jobs.post("/exports")
@jobs.auth_required(auth)
@jobs.output(Job, status_code=202)
@jobs.doc(
    operation_id="createExport",
    summary="Export the current user's items",
    responses=responses({202: headers("Location")}, 401, 422),
    extensions={"parameters": [header_parameter("Idempotency-Key", minLength=1, maxLength=255)]},
)
def create_export() -> tuple[Job, int, dict[str, str]]:
    job = services.start_export(current_user(), idempotency_key())
    return Job.model_validate(job), 202, {"Location": f"/api/v1/jobs/{job.id}"}


@jobs.get("/jobs/<uuid:id>")
@jobs.auth_required(auth)
@jobs.output(Job)
@jobs.doc(operation_id="getJob", summary="Show a job", responses=responses({}, 401, 404))
def get_job(id: UUID) -> Job:
    return Job.model_validate(services.show(id, current_user()))


def idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not re.fullmatch(r"[ -~]{1,255}", key):
        wrong = FieldError(pointer="/header/Idempotency-Key", detail="Must be 1 to 255 printable ASCII characters.")
        abort(422, detail=[wrong])
    return key
