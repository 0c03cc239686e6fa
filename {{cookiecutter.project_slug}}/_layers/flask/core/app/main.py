"""The application: `flask --app app.main` on the command line, `app.main:app` for a WSGI server."""

import functools

from apiflask import APIFlask
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

from app import cache, database, document, handlers, health, limits, logs, middleware, pages, queue
from app.bodies import ORJSONProvider
from app.environment import PROJECT, TITLE, environment
from app.items.api import items
from app.jobs.api import jobs
from app.jobs.commands import commands
from app.service import Service
from app.users.api import users


def create_app() -> APIFlask:
    logs.configure()
    app = Service("app", TITLE, PROJECT["version"], spec_path="/api/v1/openapi.json", docs_path=None)
    app.config.from_object("app.settings")
    app.json = ORJSONProvider(app)
    app.url_map.merge_slashes = False
    # Flask asks it of each function that a request meets, and the answer never changes.
    app.ensure_sync = functools.cache(app.ensure_sync)  # type: ignore[method-assign]
    # https://flask.palletsprojects.com/en/stable/deploying/proxy_fix/
    app.wsgi_app = wrap_wsgi_with_proxy_headers(  # type: ignore[method-assign]
        app.wsgi_app, list(environment.forwarded_allow_ips)
    )

    middleware.init_app(app)
    handlers.init_app(app)
    document.init_app(app)
    database.init_app(app)
    cache.cache.init_app(app)
    limits.init_app(app)
    queue.queue.init_app(app)
    for api in (users, items, jobs):
        app.register_blueprint(api, url_prefix="/api/v1")
    for blueprint in (health.health, pages.pages, commands):
        app.register_blueprint(blueprint)
    return app


app = create_app()
