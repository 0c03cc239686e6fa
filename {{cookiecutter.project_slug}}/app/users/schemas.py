"""What the API takes and gives for users and their tokens."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
# Stored in lower case, so that one person cannot hold two accounts by a capital letter.
Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]


class UserCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    name: Name
    # The upper limit keeps hashing cheap: https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
    password: Annotated[str, Field(min_length=8, max_length=128)]


class User(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    created_at: AwareDatetime


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Annotated[str, Field(min_length=1, max_length=128)]


class Token(BaseModel):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: Annotated[int, Field(description="Seconds until the token expires.")]
