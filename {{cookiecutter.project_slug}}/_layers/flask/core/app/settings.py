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
