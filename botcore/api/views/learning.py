"""Snapshots, training runs, versions of the model and what serves."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from botcore.api import reading
from botcore.api.base import ApiView, one
from botcore.api.bodies import MoveBody, ReasonBody, RunBody, RunQuery, SnapshotQuery, VersionQuery
from botcore.api.document import page_of
from botcore.api.errors import Problem
from botcore.api.idempotency import once
from botcore.api.rows import RunRow, ServingRow, SnapshotRow, VersionReport, VersionRow, shown
from botcore.learning import runs, versions
from botcore.models import Dataset, ModelVersion, TrainingRun
from botcore.roles import Right
from catalog.models import Shop


def _runs(shop: Shop) -> QuerySet[TrainingRun]:
    rows = TrainingRun.objects.filter(shop=shop).select_related("version")
    return rows.defer("curves", "version__report", "version__gate")


class Snapshots(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_snapshots", parameters=[SnapshotQuery], responses=page_of(SnapshotRow))
    def get(self, request: Request) -> Response:
        """Snapshots of the feedback, newest first. A model learns from approved ones alone."""
        query = reading.asked(SnapshotQuery, request)
        rows = Dataset.objects.filter(shop=self.shop)
        if "approved" in query:
            rows = rows.filter(approved_at__isnull=not query["approved"])
        return reading.page(request, rows, query, shown(SnapshotRow))


class Runs(ApiView):
    rights = {"GET": Right.READ, "POST": Right.TEACH}

    @extend_schema(operation_id="list_runs", parameters=[RunQuery], responses=page_of(RunRow))
    def get(self, request: Request) -> Response:
        """Training runs, newest first."""
        query = reading.asked(RunQuery, request)
        rows = _runs(self.shop)
        if "status" in query:
            rows = rows.filter(status=query["status"])
        return reading.page(request, rows, query, shown(RunRow))

    @extend_schema(operation_id="start_run", request=RunBody, responses={202: RunRow})
    @once
    def post(self, request: Request) -> Response:
        """Queue a training run over an approved snapshot."""
        said = reading.told(RunBody, request)
        snapshot: Dataset = one(Dataset.objects.filter(shop=self.shop).select_related("shop"), pk=said["snapshot"])
        try:
            run = runs.ask_for(snapshot, said["recipe"], said["options"], self.token.created_by)
        except runs.RefusedError as error:
            raise Problem("refused", str(error)) from error
        return Response(RunRow(run).data, 202)


class OneRun(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="get_run", responses=RunRow)
    def get(self, request: Request, id: int) -> Response:
        """One training run."""
        return reading.state(request, RunRow(one(_runs(self.shop), pk=id)).data)


class StopRun(ApiView):
    rights = {"POST": Right.TEACH}

    @extend_schema(operation_id="stop_run", request=None, responses={202: RunRow})
    @once
    def post(self, request: Request, id: int) -> Response:
        """Stop a run that is queued or running, at its next sign of life."""
        if not runs.stop(one(_runs(self.shop), pk=id)):
            raise Problem("refused", "The run has ended already.")
        return Response(RunRow(one(_runs(self.shop), pk=id)).data, 202)


def _versions(shop: Shop) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(shop=shop)


class Versions(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="list_versions", parameters=[VersionQuery], responses=page_of(VersionRow))
    def get(self, request: Request) -> Response:
        """Versions of the model, newest first."""
        query = reading.asked(VersionQuery, request)
        rows = _versions(self.shop).defer("report")
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return reading.page(request, rows, query, shown(VersionRow))


class OneVersion(ApiView):
    rights = {"GET": Right.READ}

    @extend_schema(operation_id="get_version", responses=VersionReport)
    def get(self, request: Request, id: int) -> Response:
        """One version with its evaluation and the gate's verdict."""
        return reading.state(request, VersionReport(one(_versions(self.shop), pk=id)).data)


class MoveVersion(ApiView):
    rights = {"POST": Right.TEACH}

    @extend_schema(operation_id="move_version", request=MoveBody, responses=VersionRow)
    @once
    def post(self, request: Request, id: int) -> Response:
        """Bring a version into another state, where the registry and the gate allow it."""
        said = reading.told(MoveBody, request)
        share = said.get("share", versions.CANARY_SHARE)
        version: ModelVersion = one(_versions(self.shop), pk=id)
        try:
            moved = versions.move(version, said["to"], self.token.created_by, said["reason"], share)
        except versions.RefusedError as error:
            raise Problem("refused", str(error)) from error
        return Response(VersionRow(moved).data)


class EvaluateVersion(ApiView):
    rights = {"POST": Right.TEACH}

    @extend_schema(operation_id="evaluate_version", request=None, responses={202: RunRow})
    @once
    def post(self, request: Request, id: int) -> Response:
        """Queue a run that measures a version against what is live then; its report changes when the run is done."""
        version: ModelVersion = one(_versions(self.shop).select_related("run__dataset__shop"), pk=id)
        try:
            run = runs.ask_to_measure(version, {}, self.token.created_by)
        except runs.RefusedError as error:
            raise Problem("refused", str(error)) from error
        return Response(RunRow(run).data, 202)


class RollBack(ApiView):
    rights = {"POST": Right.TEACH}

    @extend_schema(operation_id="roll_back", request=ReasonBody, responses=ServingRow)
    @once
    def post(self, request: Request) -> Response:
        """Give the customers back what answered them before: the canary ends, or else the live version is replaced."""
        said = reading.told(ReasonBody, request)
        try:
            serves = versions.rollback(self.shop, self.token.created_by, said["reason"])
        except versions.RefusedError as error:
            raise Problem("refused", str(error)) from error
        return Response(ServingRow({"version": serves}).data)
