"""The databases that there are: https://docs.djangoproject.com/en/6.1/ref/settings/#databases"""

from app import database
from app.environment import environment

DATABASES = {"default": database.settings(environment.database_url)}
