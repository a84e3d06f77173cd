"""How the assistant does, and what somebody should look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from botcore.api import metrics, reading
from botcore.api.base import ApiView, one
from botcore.api.bodies import AlertQuery, MetricsQuery
from botcore.api.document import page_of
from botcore.api.errors import Problem
from botcore.api.idempotency import once
from botcore.api.rows import AlertRow, MetricsRow, shown
from botcore.models import Alert
from botcore.monitoring import alerts
from botcore.roles import Right

OLDEST = datetime(1, 1, 1, tzinfo=UTC)
"""Before it there is no time to subtract from."""


class Metrics(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="get_metrics", parameters=[MetricsQuery], responses=MetricsRow)
    def get(self, request: Request) -> Response:
        """Every metric of the console's overview for some days; for the last week where no others are named."""
        query = reading.asked(MetricsQuery, request)
        until = query.get("until", timezone.now())
        since = until - min(timedelta(days=query["days"]), until - OLDEST)
        told = metrics.measured(self.shop, since, until, query.get("channel", ""), query.get("version", ""))
        return Response(MetricsRow(told).data)


class Alerts(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_alerts", parameters=[AlertQuery], responses=page_of(AlertRow))
    def get(self, request: Request) -> Response:
        """Alerts, newest first."""
        query = reading.asked(AlertQuery, request)
        rows = Alert.objects.filter(shop=self.shop)
        if "open" in query:
            rows = rows.filter(closed_at__isnull=query["open"])
        return reading.page(request, rows, query, shown(AlertRow))


class OneAlert(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="get_alert", responses=AlertRow)
    def get(self, request: Request, id: int) -> Response:
        """One alert."""
        return reading.state(request, AlertRow(one(Alert.objects.filter(shop=self.shop), pk=id)).data)


class CloseAlert(ApiView):
    rights = {"POST": Right.WATCH}

    @extend_schema(operation_id="close_alert", request=None, responses=AlertRow)
    @once
    def post(self, request: Request, id: int) -> Response:
        """Somebody has looked at it. What is found again opens another alert."""
        alert: Alert = one(Alert.objects.filter(shop=self.shop), pk=id)
        if not alerts.dismiss(alert):
            raise Problem("refused", "The alert is closed already.")
        alert.refresh_from_db()
        return Response(AlertRow(alert).data)
