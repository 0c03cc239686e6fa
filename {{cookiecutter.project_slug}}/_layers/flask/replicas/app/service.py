"""The application's class: https://flask.palletsprojects.com/en/stable/patterns/subclassing/

It reads from a replica, unless a request writes or belongs to somebody who has just written.
"""

from typing import override

from apiflask import APIFlask, HTTPError
from flask import Response, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from app import monitor, reads
from app.database import UNREACHABLE, db, read
from app.environment import environment
from app.reads import Reading
from app.replicas import replicas

SAFE = {"GET", "HEAD"}
# The cookie of those who have written, and how long they read from the primary then.
WROTE = "wrote"
WROTE_SECONDS = 10

# https://itsdangerous.palletsprojects.com/en/stable/timed/
_signer = TimestampSigner([*environment.secret_key_fallbacks, environment.secret_key], salt=WROTE)


class Service(APIFlask):
    @override
    def dispatch_request(self) -> ResponseReturnValue:
        route = super().dispatch_request
        if request.method not in SAFE:
            return route()
        monitor.start()
        replica = None if has_written() else replicas.choose()
        if replica is not None:
            with reads.from_replica(replica) as reading:
                response = self._try(reading)
            if response:
                return response
            # Nothing of the first attempt is left in the session.
            db.session.remove()
        return read(route)

    def _try(self, reading: Reading) -> Response | None:
        """The answer, or nothing when the primary must give it."""
        try:
            response = self.make_response(super().dispatch_request())
        except (HTTPError, HTTPException) as error:
            status = error.status_code if isinstance(error, HTTPError) else error.code
            if not (reading.asked and is_maybe_too_new(status)):
                raise
        except UNREACHABLE as error:
            if not reading.asked:
                raise
            if isinstance(error, exc.DBAPIError) and (error.connection_invalidated or error.statement is None):
                replicas.has_failed(reading.replica, error)
        else:
            if not (reading.asked and is_maybe_too_new(response.status_code)):
                return response
        return None

    @override
    def process_response(self, response: Response) -> Response:
        if request.method not in SAFE and response.status_code < 400:
            # The client may read what it has written: its next requests do not go to a replica.
            mark = _signer.sign(b"").decode()
            response.set_cookie(
                WROTE, mark, WROTE_SECONDS, secure=environment.production, httponly=True, samesite="Lax"
            )
        return super().process_response(response)


def has_written() -> bool:
    try:
        _signer.unsign(request.cookies.get(WROTE, ""), WROTE_SECONDS)
    except BadSignature:
        return False
    return True


def is_maybe_too_new(status: int | None) -> bool:
    """Whether a row was not found, which the replica may not have yet."""
    return status in (401, 404)
