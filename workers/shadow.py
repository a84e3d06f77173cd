"""What a shadow version would have answered: written after the customer has the reply, stored, sent to nobody."""

from __future__ import annotations

import time

from django.conf import settings

from botcore.dialogue.brief import Brief
from botcore.dialogue.compose import MODEL_LANGUAGES, fill, word
from botcore.dialogue.state import DialogueState
from botcore.learning import rollout
from botcore.models import ModelVersion, ShadowReply, Turn
from workers import serving

SECONDS = 20.0
"""Nobody waits for it; but a turn that takes so long is worth knowing of."""


def of(turn: Turn) -> ModelVersion | None:
    """The version that writes beside what an answered turn is about; None where there is none."""
    return rollout.served(turn.conversation, DialogueState.from_json(turn.state_after).department).shadow


def answer_beside(turn_id: int) -> ShadowReply | None:
    """The shadow's words for an answered turn's brief; None where there is no shadow or nothing for it to write."""
    turn = Turn.objects.select_related("conversation").get(pk=turn_id)
    version = of(turn)
    if version is None or not turn.brief or turn.language not in MODEL_LANGUAGES:
        return None
    brief = Brief.from_json(turn.brief)
    with serving.writing_by(version) as ports:
        if ports.version_id != version.pk or ports.load_error:  # it is not loaded yet: a later turn will find it
            return None
        begun = time.monotonic()
        wording = word(
            brief,
            turn.language,
            ports,
            samples=settings.DAOGOU_SAMPLES,
            seed=turn.pk,
            deadline=begun + SECONDS,
        )
    row, _ = ShadowReply.objects.update_or_create(
        turn=turn,
        version=version,
        defaults={
            "text": fill(wording.text, brief.tags()),
            "written_by": wording.written_by,
            "samples": [draft.to_json(brief.tags()) for draft in wording.drafts],
            "milliseconds": round((time.monotonic() - begun) * 1000, 1),
            "error": wording.error,
        },
    )
    return row
