"""What the API gives for background jobs."""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Job(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    status: Literal["pending", "running", "succeeded", "failed"]
    result: dict[str, Any] | None
    created_at: AwareDatetime
    finished_at: AwareDatetime | None
