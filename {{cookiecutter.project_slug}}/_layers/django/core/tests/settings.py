"""The application's settings, made fast for tests."""

from django.contrib.auth.hashers import Argon2PasswordHasher

from app.settings import *  # noqa: F403

# https://docs.djangoproject.com/en/6.1/topics/auth/passwords/#argon2
# KiB: hashing is slow on purpose, and that purpose is not the tests'.
Argon2PasswordHasher.memory_cost = 1024
# https://whitenoise.readthedocs.io/en/stable/django.html#WHITENOISE_AUTOREFRESH
# A static file is looked up when it is asked for: else each test client would list them all.
WHITENOISE_AUTOREFRESH = True
