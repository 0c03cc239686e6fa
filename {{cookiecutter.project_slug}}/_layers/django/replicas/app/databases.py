"""The databases that there are: a primary, and replicas to read from.

https://docs.djangoproject.com/en/6.1/topics/db/multi-db/
"""

from app import database, monitor
from app.environment import environment
from app.replicas import ANSWER_SECONDS, URLS

# https://docs.djangoproject.com/en/6.1/ref/settings/#databases
DATABASES = {"default": database.settings(environment.database_url)}
for number, url in enumerate(URLS):
    replica = DATABASES[f"replica_{number}"] = database.settings(url)
    replica["OPTIONS"]["options"] += f" -c statement_timeout={ANSWER_SECONDS}s"
    # While a replica does not answer, nobody asks it.
    replica["OPTIONS"]["pool"] |= {
        "connection_class": monitor.Connection,
        "timeout": ANSWER_SECONDS,
        "reconnect_failed": None,
    }

# https://docs.djangoproject.com/en/6.1/ref/settings/#database-routers
DATABASE_ROUTERS = ["app.reads.Router"]
