"""What lies about and can be made again is deleted: a built model takes 650 MB, the adapter that it was built from ten."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from botcore.learning import versions
from botcore.models import ModelVersion
from workers.engine import artefacts

IDLE = (ModelVersion.State.CANDIDATE, ModelVersion.State.RETIRED)
PATIENCE = timedelta(days=7)
"""An idle version keeps its built model so long, for the case that somebody wants it after all."""


def forget_models(now: datetime) -> list[str]:
    """Delete the built models of versions that serve nobody and that no rollback would bring back; their names."""
    forgotten = ModelVersion.objects.filter(state__in=IDLE, state_since__lt=now - PATIENCE).exclude(pk__in=_next_back())
    in_use = set(ModelVersion.objects.exclude(pk__in=forgotten).values_list("artefact", flat=True))
    names = sorted(set(forgotten.values_list("artefact", flat=True)) - in_use)
    return [name for name in names if artefacts.forget(settings.VAR_DIR / "models", name)]


def _next_back() -> set[int]:
    """The versions that a rollback of what is live would bring back."""
    lives = ModelVersion.objects.filter(state=ModelVersion.State.LIVE)
    return {before.pk for version in lives if (before := versions.replaced_by(version))}
