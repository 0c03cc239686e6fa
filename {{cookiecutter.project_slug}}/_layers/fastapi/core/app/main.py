"""The application."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import database, health, logs, pages
from app.cache import store
from app.document import DocumentedAPI
from app.environment import PROJECT, TITLE
from app.handlers import HANDLERS
from app.items.api import public as public_items
from app.items.api import router as items
from app.jobs.api import router as jobs
from app.queue import queue
from app.stack import MIDDLEWARE
from app.users.api import router as users

logs.configure()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # What was made until now stays. The garbage collector need not go through it again while requests wait.
    gc.collect()
    gc.freeze()
    yield
    await queue.finish()
    await store.close()
    await database.close()


# https://fastapi.tiangolo.com/reference/fastapi/
app = DocumentedAPI(
    title=TITLE,
    version=PROJECT["version"],
    description=PROJECT["description"],
    openapi_url="/api/v1/openapi.json",
    docs_url=None,
    redoc_url=None,
    redirect_slashes=False,
    lifespan=lifespan,
    exception_handlers=HANDLERS,
    middleware=MIDDLEWARE,
    telemetry={"tracing": False, "metrics": False, "logs": False},
)
# What is asked most comes first: they are tried in turn.
for router in (public_items, items, users, jobs, health.router, pages.router):
    app.include_router(router)
for path, files in pages.STATIC_FILES.items():
    app.mount(path, files)
