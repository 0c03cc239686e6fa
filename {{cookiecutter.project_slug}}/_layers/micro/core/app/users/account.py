"""What every request wants to know of its user."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from app.compiled import Compiled
from app.users.models import User

BY_ID = Compiled(select(User.id, User.email, User.name, User.created_at).where(User.id == bindparam("user_id")))


class Account(NamedTuple):
    """A row of that query."""

    id: UUID
    email: str
    name: str
    created_at: datetime
