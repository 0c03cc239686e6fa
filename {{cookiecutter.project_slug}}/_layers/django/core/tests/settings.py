"""The application's settings on a database of the tests' own, never the developer's."""

import atexit
import os
import shutil
import tempfile

FOLDER = tempfile.mkdtemp(prefix="tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
os.environ |= {
    "ENVIRONMENT": "test",
    "DATABASE_URL": f"sqlite:///{FOLDER}/db.sqlite3",
    "EXPORT_DIR": f"{FOLDER}/exports",
    "LOG_LEVEL": "DEBUG",
    "WEB_CONCURRENCY": "1",
}

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402

from app.settings import *  # noqa: E402, F403
from app.settings import DATABASE_FILE, DATABASES  # noqa: E402

# https://docs.djangoproject.com/en/6.1/ref/settings/#test
DATABASES["default"]["TEST"] = {"NAME": DATABASE_FILE}
# https://docs.djangoproject.com/en/6.1/topics/auth/passwords/#argon2
# KiB: hashing is slow on purpose, and that purpose is not the tests'.
Argon2PasswordHasher.memory_cost = 1024
# https://whitenoise.readthedocs.io/en/stable/django.html#WHITENOISE_AUTOREFRESH
# A static file is looked up when it is asked for: else each test client would list them all.
WHITENOISE_AUTOREFRESH = True
