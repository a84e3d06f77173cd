"""The web process's entry point, for any ASGI server."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response

from botcore.channels.body_limit import BodyLimit
from botcore.memory import keep_what_is_loaded

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")


class WithoutMiddleware(ASGIHandler):
    """Django's handler for requests of machines, which have no session, no cookie and no page.

    Some of the middleware is synchronous, so Django runs all of it, and with it every request, on a thread made for that
    request; on a machine whose cores are busy, each change of threads is a wait.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._middleware_chain = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]


class Entrance:
    """Sends webhooks past the middleware, and everything else through it."""

    def __init__(self) -> None:
        self.pages = cast("ASGI3Application", get_asgi_application())
        self.webhooks = cast("ASGI3Application", WithoutMiddleware())

    async def __call__(self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
        of_platform = scope["type"] == "http" and scope["path"].startswith("/webhooks/")
        await (self.webhooks if of_platform else self.pages)(scope, receive, send)


application = BodyLimit(
    BodyLimit(Entrance(), limit=4 * settings.WEBHOOK_BODY_LIMIT), limit=settings.UPLOAD_LIMIT, prefixes=("/console/",)
)
import_module(settings.ROOT_URLCONF)  # what the first page would import
keep_what_is_loaded()
