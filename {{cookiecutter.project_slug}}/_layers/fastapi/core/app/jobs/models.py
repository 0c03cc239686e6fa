from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.users.models import User


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("owner_id", "idempotency_key"), Index(None, "status", "due_at"))

    owner_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20), default="export")
    status: Mapped[str] = mapped_column(String(10), default="pending")
    result: Mapped[dict[str, Any] | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    attempts: Mapped[int] = mapped_column(default=0)
    # When the job is handed out (again), unless something happens before.
    due_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC) + timedelta(seconds=5))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
