from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from app.database import Base
from app.users.models import User


class Item(Base):
    __tablename__ = "items"
    __table_args__ = (Index(None, "owner_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(
        default=lambda context: context.get_current_parameters()["created_at"], onupdate=lambda: datetime.now(UTC)
    )

    # Always in the same statement: every answer names the owner.
    owner: Mapped[User] = relationship(lazy="joined", innerjoin=True)
