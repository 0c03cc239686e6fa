"""Flask's configuration: https://flask.palletsprojects.com/en/stable/config/"""

from app.environment import PROJECT, environment

# https://flask.palletsprojects.com/en/stable/config/#MAX_CONTENT_LENGTH
MAX_CONTENT_LENGTH = 1_048_576
# https://flask.palletsprojects.com/en/stable/config/#PROVIDE_AUTOMATIC_OPTIONS
PROVIDE_AUTOMATIC_OPTIONS = False
# https://flask.palletsprojects.com/en/stable/config/#PROPAGATE_EXCEPTIONS
# Everywhere, in tests too, an unhandled exception is a line in the log and a problem document.
PROPAGATE_EXCEPTIONS = False

# https://flask-sqlalchemy.readthedocs.io/en/stable/config/
SQLALCHEMY_DATABASE_URI = environment.database_url

# https://flask-caching.readthedocs.io/en/latest/#configuring-flask-caching
# A cache inside the process cannot drop what another process has cached, so several processes go without one.
CACHE_TYPE = "SimpleCache" if environment.web_concurrency == 1 else "NullCache"
CACHE_NO_NULL_WARNING = True
CACHE_DEFAULT_TIMEOUT = 60
CACHE_THRESHOLD = 1_000

# https://flask-limiter.readthedocs.io/en/stable/configuration.html
RATELIMIT_STORAGE_URI = "memory://"
RATELIMIT_STRATEGY = "moving-window"
# A try that one limit refuses counts for the others too.
RATELIMIT_FAIL_ON_FIRST_BREACH = False

# https://apiflask.com/configuration/
DESCRIPTION = PROJECT["description"]
SECURITY_SCHEMES = {"bearerAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
# The routes say for themselves what they answer.
AUTO_SERVERS = False
AUTO_OPERATION_DESCRIPTION = False
AUTO_200_RESPONSE = False
AUTO_404_RESPONSE = False
AUTO_AUTH_ERROR_RESPONSE = False
AUTO_VALIDATION_ERROR_RESPONSE = False
