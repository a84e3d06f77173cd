"""Webhooks of the shop's own systems, and what was delivered to them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from botcore.api import reading
from botcore.api.base import ApiView, one
from botcore.api.bodies import DeliveryQuery, WebhookBody, WebhookPatch
from botcore.api.document import page_of
from botcore.api.errors import Fault, Problem
from botcore.api.idempotency import once
from botcore.api.rows import DeliveryRow, SecretRow, WebhookRow, shown
from botcore.models import WebhookDelivery, WebhookEndpoint
from botcore.roles import Right
from botcore.webhooks import endpoints, sending


class Webhooks(ApiView):
    rights = {"GET": Right.CONNECT, "POST": Right.CONNECT}

    @extend_schema(operation_id="list_webhooks", parameters=[reading.PageQuery], responses=page_of(WebhookRow))
    def get(self, request: Request) -> Response:
        """Webhooks, newest first."""
        query = reading.asked(reading.PageQuery, request)
        return reading.page(request, WebhookEndpoint.objects.filter(shop=self.shop), query, shown(WebhookRow))

    @extend_schema(operation_id="add_webhook", request=WebhookBody, responses={201: SecretRow})
    @once
    def post(self, request: Request) -> Response:
        """Have events told to an address of yours. The answer holds the secret that they are signed with, once."""
        said = reading.told(WebhookBody, request)
        try:
            endpoint, secret = endpoints.make(self.shop, said["url"], said["events"])
        except endpoints.RefusedError as error:
            raise _refused(error) from error
        except endpoints.TooManyError as error:
            raise Problem("refused", f"A shop has {endpoints.AT_MOST} webhooks at most: delete one first.") from error
        return Response(_with_secret(endpoint, secret), 201)


class OneWebhook(ApiView):
    rights = {"GET": Right.CONNECT, "PATCH": Right.CONNECT, "DELETE": Right.CONNECT}

    @extend_schema(operation_id="get_webhook", responses=WebhookRow)
    def get(self, request: Request, id: int) -> Response:
        """One webhook, with its ETag."""
        return reading.state(request, WebhookRow(self._row(id)).data)

    @extend_schema(operation_id="change_webhook", request=WebhookPatch, responses=WebhookRow)
    def patch(self, request: Request, id: int) -> Response:
        """Change the address, the events, or whether it is told, where it is still as `If-Match` says."""
        change = reading.told(WebhookPatch, request)
        with transaction.atomic():
            row = one(WebhookEndpoint.objects.filter(shop=self.shop).select_for_update(), pk=id)
            reading.unchanged(request, WebhookRow(row).data)
            active = change.pop("active", row.active)
            try:
                endpoints.change(row, **change)
            except endpoints.RefusedError as error:
                raise _refused(error) from error
            if active != row.active:
                endpoints.switch(row, active)
        return reading.state(request, WebhookRow(self._row(id)).data)

    @extend_schema(operation_id="delete_webhook", responses={204: None})
    def delete(self, request: Request, id: int) -> Response:
        """Tell it no more, and forget what was told."""
        self._row(id).delete()
        return Response(status=204)

    def _row(self, id: int) -> WebhookEndpoint:
        row: WebhookEndpoint = one(WebhookEndpoint.objects.filter(shop=self.shop), pk=id)
        return row


class RotateSecret(ApiView):
    rights = {"POST": Right.CONNECT}

    @extend_schema(operation_id="rotate_secret", request=None, responses=SecretRow)
    @once
    def post(self, request: Request, id: int) -> Response:
        """A new secret; for 24 hours everything is signed with the one before as well."""
        row: WebhookEndpoint = one(WebhookEndpoint.objects.filter(shop=self.shop), pk=id)
        return Response(_with_secret(row, endpoints.rotate(row)))


class TryWebhook(ApiView):
    rights = {"POST": Right.CONNECT}

    @extend_schema(operation_id="try_webhook", request=None, responses={202: DeliveryRow})
    @once
    def post(self, request: Request, id: int) -> Response:
        """Send an event of type `test`."""
        row: WebhookEndpoint = one(WebhookEndpoint.objects.filter(shop=self.shop), pk=id)
        return Response(DeliveryRow(endpoints.try_out(row)).data, 202)


class Deliveries(ApiView):
    rights = {"GET": Right.CONNECT}

    @extend_schema(operation_id="list_deliveries", parameters=[DeliveryQuery], responses=page_of(DeliveryRow))
    def get(self, request: Request) -> Response:
        """What was told in the last 30 days, newest first."""
        query = reading.asked(DeliveryQuery, request)
        rows = WebhookDelivery.objects.filter(endpoint__shop=self.shop)
        if "webhook" in query:
            rows = rows.filter(endpoint=query["webhook"])
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return reading.page(request, rows, query, shown(DeliveryRow))


class Resend(ApiView):
    rights = {"POST": Right.CONNECT}

    @extend_schema(operation_id="resend_delivery", request=None, responses={202: DeliveryRow})
    @once
    def post(self, request: Request, id: int) -> Response:
        """Tell it once more, under the same `webhook-id`."""
        rows = WebhookDelivery.objects.filter(endpoint__shop=self.shop).select_related("endpoint")
        if not sending.resend(one(rows, pk=id)):
            raise Problem("refused", "It is under way.")
        return Response(DeliveryRow(one(rows, pk=id)).data, 202)


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**WebhookRow(endpoint).data, "secret": secret}


def _refused(error: endpoints.RefusedError) -> Problem:
    return Problem("refused", f"{error.field} {error}", [Fault(str(error), f"#/{error.field}")])
