"""What every view of the API is: known by its token, held to its pace, let in by a right, answered in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed, NotFound, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from botcore.api import errors, tokens
from botcore.api.errors import Fault, Problem
from botcore.channels.values import storable
from botcore.models import ApiToken
from botcore.roles import Right
from catalog.models import Shop

BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
SHOP_HEADER = "Daogou-Shop"


class StorableJSON(JSONParser):
    """JSON without what PostgreSQL cannot keep: NUL and half of a surrogate pair."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return storable(super().parse(stream, media_type, parser_context))
        except RecursionError as error:
            raise ParseError from error


class ApiView(APIView):
    """``rights`` maps each method that there is to the right it needs; what is not named there does not exist."""

    rights: ClassVar[Mapping[str, Right]] = {}
    http_method_names = ["get", "head", "post", "patch", "delete"]
    authentication_classes = []
    permission_classes = []
    parser_classes = [StorableJSON]
    renderer_classes = [JSONRenderer]
    format_kwarg = None
    token: ApiToken
    _pace: tokens.Pace | None = None

    @property
    def shop(self) -> Shop:
        """The one shop that this request is about."""
        return self.token.shop

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Everything that must hold before a view runs. Each of these raises."""
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.token = _token_of(request)
        request._request.api_token = self.token  # type: ignore[attr-defined] # whose deed it is, for the audit log
        self._pace = tokens.take(self.token)
        if self._pace.retry:
            raise Problem("too-many-requests", "This token asks too often.", headers=errors.wait(self._pace.retry))
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method not in self.rights:
            raise MethodNotAllowed(method)
        if self.rights[method] not in self.token.rights:
            raise Problem("forbidden", f"This token has not the right to {self.rights[method]}.")
        body = request._request.body
        if len(body) > settings.WEBHOOK_BODY_LIMIT:  # Django looks at the announced length alone
            raise RequestDataTooBig
        request._request.META["CONTENT_LENGTH"] = str(len(body))  # without which a parser takes a chunked body for none

    def get_exception_handler(self) -> Any:
        return errors.handle

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        if self._pace:
            final["RateLimit-Limit"] = str(self._pace.limit)
            final["RateLimit-Remaining"] = str(self._pace.remaining)
            final["RateLimit-Reset"] = str(int(self._pace.reset) + 1)
        return final


class Nowhere(ApiView):
    """Every address under ``/api/v1/`` that there is not."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        raise NotFound


def _token_of(request: Request) -> ApiToken:
    """The row that a request is made with. Raises ``Problem``."""
    header = BEARER.fullmatch(request.headers.get("Authorization", ""))
    rows = tokens.found(header[1], timezone.now()) if header else ()
    if not rows:
        told = {"WWW-Authenticate": 'Bearer realm="api"'}
        raise Problem("unauthenticated", "Send a token that holds: Authorization: Bearer daogou_…", headers=told)
    slug = request.headers.get(SHOP_HEADER)
    wanted = [row for row in rows if slug in (None, row.shop.slug)]
    if not wanted:
        raise NotFound
    if len(wanted) > 1:
        fault = Fault("names the shop by its slug", parameter=SHOP_HEADER)
        raise Problem("malformed", f"This token is for several shops: name one in {SHOP_HEADER}.", [fault])
    return wanted[0]


def one(rows: QuerySet[Any], **named: Any) -> Any:
    """The one row so named. Raises ``NotFound``."""
    row: Model | None = rows.filter(**named).first()
    if row is None:
        raise NotFound
    return row
