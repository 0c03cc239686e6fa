"""What the API takes and gives for items."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL cannot store the NUL character.
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Body = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]


class ItemCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Title
    body: Body


class ItemUpdate(BaseModel):
    """Only the fields that were sent change."""

    model_config = ConfigDict(extra="forbid")

    title: Title = ""
    body: Body = ""


class Owner(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class Item(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    body: str
    owner: Owner
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ItemPage(BaseModel):
    items: list[Item]
    next_cursor: UUID | None


class PageQuery(BaseModel):
    limit: Annotated[int, Field(ge=1, le=100, description="Items on the page.")] = 20
    cursor: Annotated[UUID | None, Field(description="The `next_cursor` of the page before.")] = None
