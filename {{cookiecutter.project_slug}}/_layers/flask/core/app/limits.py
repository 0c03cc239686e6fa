"""How often somebody may try: https://flask-limiter.readthedocs.io/"""

import logging

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

LOGINS_PER_ACCOUNT = "5/minute"
LOGINS_PER_ADDRESS = "20/minute"
SIGN_UPS_PER_ADDRESS = "20/hour"

limiter = Limiter(get_remote_address)
# It tells whose tries were refused, by their e-mail address.
logging.getLogger("flask-limiter").setLevel(logging.WARNING)
