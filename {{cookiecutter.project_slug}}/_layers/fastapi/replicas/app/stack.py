"""What surrounds every request, from the outside to the inside."""

from fastapi.middleware import Middleware

from app.middleware import BodyLimit, KnownHosts, Observation
from app.reads import Reads

MIDDLEWARE = [Middleware(Observation), Middleware(KnownHosts), Middleware(BodyLimit), Middleware(Reads)]
