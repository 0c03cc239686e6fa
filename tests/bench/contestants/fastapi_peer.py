# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "fastapi[standard]~=0.165.0",
#   "psycopg[binary]~=3.3.9",
#   "sqlmodel~=0.0.24",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""FastAPI as its own template sets it up: SQLModel, synchronous sessions in threads, `fastapi run --workers`.

https://github.com/fastapi/full-stack-fastapi-template
"""

import os
import sys
import uuid
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

ITEMS, USERS, _ = os.environ["TABLES"].split()
engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))


def get_db() -> Generator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_db)]


class User(SQLModel, table=True):
    __tablename__ = USERS
    id: uuid.UUID = Field(primary_key=True)
    name: str


class ItemCreate(SQLModel):
    title: str
    body: str


class Item(ItemCreate, table=True):
    __tablename__ = ITEMS
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    owner_id: uuid.UUID = Field(foreign_key=f"{USERS}.id")
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    owner: User = Relationship(sa_relationship_kwargs={"lazy": "joined"})


class Owner(SQLModel):
    id: uuid.UUID
    name: str


class ItemPublic(ItemCreate):
    id: uuid.UUID
    owner: Owner
    created_at: datetime
    updated_at: datetime


class ItemsPublic(SQLModel):
    items: list[ItemPublic]
    next_cursor: uuid.UUID


application = FastAPI()
application.add_middleware(CORSMiddleware, allow_origins=["http://localhost"], allow_credentials=True)


@application.get("/api/v1/items", response_model=ItemsPublic)
def read_items(session: SessionDep, cursor: uuid.UUID | None = None) -> dict[str, object]:
    items = select(Item).order_by(Item.id.desc()).limit(20)
    if cursor:
        items = items.where(Item.id < cursor)
    found = session.exec(items).all()
    return {"items": found, "next_cursor": found[-1].id}


@application.get("/api/v1/items/{item_id}", response_model=ItemPublic)
def read_item(session: SessionDep, item_id: uuid.UUID) -> Item:
    item = session.get(Item, item_id)
    if not item:
        raise HTTPException(404, "Item not found")
    return item


@application.post("/api/v1/items", response_model=ItemPublic, status_code=201)
def create_item(session: SessionDep, item_in: ItemCreate) -> Item:
    item = Item.model_validate(item_in, update={"owner_id": uuid.UUID(os.environ["OWNER"])})
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


@application.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    fastapi = Path(sys.executable).parent / "fastapi"
    where = ["--host", "127.0.0.1", "--port", os.environ["PORT"], "--workers", os.environ["WORKERS"]]
    os.execv(fastapi, ["fastapi", "run", *where, "--app", "application", __file__])
