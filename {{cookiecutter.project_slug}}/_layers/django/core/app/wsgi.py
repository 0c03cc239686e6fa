"""The WSGI application: https://docs.djangoproject.com/en/6.1/howto/deployment/wsgi/"""

import os
from collections.abc import Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

from app.environment import environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

django: WSGIApplication = wrap_wsgi_with_proxy_headers(get_wsgi_application(), list(environment.forwarded_allow_ips))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if "HTTP_X_FORWARDED_PROTO" in environ:
        # Granian believes a proxy's X-Forwarded-Proto only beside an X-Forwarded-For.
        environ.setdefault("HTTP_X_FORWARDED_FOR", environ["REMOTE_ADDR"])
    if "HTTP_TRANSFER_ENCODING" in environ:
        # Django reads no body without a Content-Length. A byte above the limit is enough for it to refuse the body.
        body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    response = django(environ, start_response)
    if not isinstance(response, HttpResponse):
        return response
    # Granian sends a list at once. Others can have the database connection meanwhile.
    response.close()
    return [response.content]
