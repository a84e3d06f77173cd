"""A reply worker loads its models before it takes its first turn, not while a customer waits."""

from __future__ import annotations

import time
from itertools import chain
from typing import Any

import structlog
from celery.signals import worker_ready
from django.conf import settings

from botcore.dialogue.evidence import article_passages
from botcore.dialogue.heads import asking_odds
from botcore.dialogue.lexicon.kept import lexicon_of
from botcore.dialogue.ports import Ports
from botcore.dialogue.state import DialogueState
from botcore.learning.versions import SERVES
from botcore.memory import keep_what_is_loaded
from botcore.models import ModelVersion
from catalog.models import Shop
from catalog.ranking.model import ranker_of
from workers import serving

log = structlog.get_logger(__name__)

READ_AHEAD = 400
"""Sentences of the shops' articles that are read at the start, seven milliseconds each, so that no first question waits."""
VERSIONS_AHEAD = 3
"""Versions of shops' own models that are loaded at the start; others are when they are first asked for."""


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    """Load the models and vocabularies and read the shops' articles where this worker serves the ``reply`` queue.

    Runs before the worker fetches its first task; the file it leaves tells ``manage.py up``.
    """
    if "reply" not in sender.app.amqp.queues.consume_from:
        return
    begun = time.monotonic()
    with serving.writing_by(None) as ports:
        _read_ahead(ports)
        for version in ModelVersion.objects.filter(state__in=SERVES).order_by("pk")[:VERSIONS_AHEAD]:
            with serving.writing_by(version):
                serving.generators.settle()
    keep_what_is_loaded()
    settings.REPLY_READY.touch()
    log.info("ready to reply", models=len(serving.generators.loaded()), seconds=round(time.monotonic() - begun, 1))


def _read_ahead(ports: Ports) -> None:
    """Load what reads, the shops' vocabularies, and what the shops say in their articles and of their products."""
    ports.reader.message("hello")
    asking_odds("您好", ports.encoder, DialogueState())  # reads the dictionary for Chinese, too
    told: list[str] = []
    for shop in Shop.objects.all()[:20]:
        ports.reader.needing("hello", [list(chain(*kinds.values())) for kinds in lexicon_of(shop).told.values()])
        ranker_of(shop)
        told += article_passages(shop, READ_AHEAD - len(told))
    if told:
        ports.reader.passages(told)
        ports.encoder.encode(told)
