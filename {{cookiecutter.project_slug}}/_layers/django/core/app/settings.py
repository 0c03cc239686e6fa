"""Django's settings: https://docs.djangoproject.com/en/6.1/ref/settings/"""

import logging
from pathlib import Path

import ninja
from django.utils.csp import CSP

from app import cache, logs
from app.databases import *  # noqa: F403
from app.environment import environment

# https://docs.djangoproject.com/en/6.1/ref/settings/#debug
# Off everywhere: errors are problem documents, in development too, and their tracebacks are in the log.
DEBUG = False
# https://docs.djangoproject.com/en/6.1/ref/settings/#secret-key
SECRET_KEY = environment.secret_key
# https://docs.djangoproject.com/en/6.1/ref/settings/#secret-key-fallbacks
SECRET_KEY_FALLBACKS = list(environment.secret_key_fallbacks)
# https://docs.djangoproject.com/en/6.1/ref/settings/#allowed-hosts
ALLOWED_HOSTS = list(environment.allowed_hosts)

# https://docs.djangoproject.com/en/6.1/ref/settings/#installed-apps
INSTALLED_APPS = [
    "app",
    "app.users",
    "app.items",
    "app.jobs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
# https://docs.djangoproject.com/en/6.1/ref/middleware/#middleware-ordering
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "app.middleware.observe",
    "app.middleware.CommonMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "app.reads.ReadMiddleware",
]
# https://docs.djangoproject.com/en/6.1/ref/settings/#root-urlconf
ROOT_URLCONF = "app.urls"
# https://docs.djangoproject.com/en/6.1/ref/settings/#append-slash
# An address of the API is the one that is written in its document, and no other.
APPEND_SLASH = False
# https://docs.djangoproject.com/en/6.1/ref/settings/#wsgi-application
WSGI_APPLICATION = "app.wsgi.application"
# https://docs.djangoproject.com/en/6.1/ref/settings/#templates
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# https://docs.djangoproject.com/en/6.1/ref/contrib/messages/#message-storage-backends
# Beside the admin's sessions. Cookies would take longer to be ready for, in every request.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# https://docs.djangoproject.com/en/6.1/topics/cache/
CACHES = {"default": cache.CACHE}

# https://docs.djangoproject.com/en/6.1/ref/settings/#auth-user-model
AUTH_USER_MODEL = "users.User"
# https://docs.djangoproject.com/en/6.1/topics/auth/passwords/#using-argon2-with-django
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# https://docs.djangoproject.com/en/6.1/topics/auth/passwords/#password-validation
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# https://docs.djangoproject.com/en/6.1/ref/settings/#data-upload-max-memory-size
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
# https://docs.djangoproject.com/en/6.1/ref/csp/
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
}
# https://docs.djangoproject.com/en/6.1/ref/settings/#secure-hsts-seconds
SECURE_HSTS_SECONDS = 31_536_000 if environment.production else 0
# https://docs.djangoproject.com/en/6.1/ref/settings/#secure-hsts-include-subdomains
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# https://docs.djangoproject.com/en/6.1/ref/settings/#secure-hsts-preload
SECURE_HSTS_PRELOAD = True
# https://docs.djangoproject.com/en/6.1/ref/settings/#session-cookie-secure
SESSION_COOKIE_SECURE = environment.production
# https://docs.djangoproject.com/en/6.1/ref/settings/#csrf-cookie-secure
CSRF_COOKIE_SECURE = environment.production
# https://docs.djangoproject.com/en/6.1/ref/settings/#silenced-system-checks
# The load balancer redirects to HTTPS; its probes speak HTTP.
SILENCED_SYSTEM_CHECKS = ["security.W008"]

# https://docs.djangoproject.com/en/6.1/ref/settings/#use-tz
TIME_ZONE = "UTC"

# https://docs.djangoproject.com/en/6.1/ref/settings/#static-url
STATIC_URL = "/static/"
# https://docs.djangoproject.com/en/6.1/ref/settings/#staticfiles-dirs
STATICFILES_DIRS = [("swagger-ui", Path(ninja.__file__).parent / "static" / "ninja")]
# https://whitenoise.readthedocs.io/en/stable/django.html#WHITENOISE_USE_FINDERS
WHITENOISE_USE_FINDERS = True

# https://docs.djangoproject.com/en/6.1/ref/settings/#logging-config
LOGGING_CONFIG = None
logs.configure()
# The access log has a line for every refused request; these would add a second one, or a traceback.
logging.getLogger("django.request").setLevel(logging.ERROR)
logging.getLogger("django.security").setLevel(logging.CRITICAL)
