"""How often somebody may try: https://flask-limiter.readthedocs.io/"""

import logging

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.cache import COUNTS

LOGINS_PER_ACCOUNT = "5/minute"
LOGINS_PER_ADDRESS = "20/minute"
SIGN_UPS_PER_ADDRESS = "20/hour"

# A try that one limit refuses counts for the others too.
limiter = Limiter(get_remote_address, fail_on_first_breach=False, **COUNTS)
# It tells whose tries were refused.
logging.getLogger("flask-limiter").setLevel(logging.WARNING)


def init_app(app: Flask) -> None:
    # Without its hooks, which look at every request for the limits of all routes: here each route names its own.
    app.extensions["limiter"] = {limiter}
    limiter.init_app(app)
