"""The tests run on a database and in folders of their own, never on the developer's."""

import atexit
import os
import shutil
import tempfile

from tests import services

FOLDER = tempfile.mkdtemp(prefix="tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
# The application reads these when it is imported, which is after this package.
os.environ |= {
    "ENVIRONMENT": "test",
    "DATABASE_URL": services.database_url() or f"sqlite:///{FOLDER}/db.sqlite3",
    "DATABASE_REPLICA_URLS": "",
    "CACHE_URL": services.server_url("cache_url") or "",
    "BROKER_URL": services.server_url("broker_url") or "",
    "EXPORT_DIR": f"{FOLDER}/exports",
    "SECRET_KEY": "the-key-of-these-tests",
    "SECRET_KEY_FALLBACKS": "the-key-before",
    "ALLOWED_HOSTS": "",
    "LOG_LEVEL": "INFO",
    "WEB_CONCURRENCY": "1",
}
