"""The application's class: https://flask.palletsprojects.com/en/stable/patterns/subclassing/"""

from typing import override

from apiflask import APIFlask
from flask import request
from flask.typing import ResponseReturnValue

from app import database


class Service(APIFlask):
    @override
    def dispatch_request(self) -> ResponseReturnValue:
        route = super().dispatch_request
        return database.read(route) if request.method in {"GET", "HEAD"} else route()
