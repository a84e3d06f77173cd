"""Feeds at addresses: fetched when they are due, imported when they have changed."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import httpcore
import structlog
from django.db import transaction
from django.utils import timezone

from botcore import change_sets, queues
from botcore.channels.values import MediaError
from botcore.web_files import download_public
from catalog.ingest.readers import MAX_BYTES, FeedError
from catalog.models import ChangeSet, Feed

log = structlog.get_logger(__name__)

SECONDS = 120.0
"""A feed that takes longer to fetch is tried again when it is due again."""
AT_ONCE = 20
"""The others are due still when it is looked next."""
PERIODS = {Feed.Every.HOUR: timedelta(hours=1), Feed.Every.DAY: timedelta(days=1)}


def fetch_due(now: datetime, only: int | None = None, network: httpcore.NetworkBackend | None = None) -> int:
    """Fetch the feeds that are due, or only this one if it is; each once however many workers look. Returns how many were."""
    due = Feed.objects.filter(active=True, next_at__lte=now).select_related("shop")
    if only is not None:
        due = due.filter(pk=only)
    taken = [feed for feed in due.order_by("next_at")[:AT_ONCE] if _take(feed, now)]
    for feed in taken:
        fetch(feed, network)
    return len(taken)


def ask_for(feed: Feed) -> None:
    """Let it be fetched and imported now, changed or not."""
    with transaction.atomic():
        Feed.objects.filter(pk=feed.pk).update(next_at=timezone.now(), content_hash="", active=True)
        transaction.on_commit(partial(queues.wake_feed, feed.pk))


def fetch(feed: Feed, network: httpcore.NetworkBackend | None = None) -> ChangeSet | None:
    """Fetch a feed and queue its import; None where it could not be had (the feed says why) or has not changed."""
    feed.fetched_at, feed.error = timezone.now(), ""
    made = None
    try:
        content = download_public(feed.url, MAX_BYTES, SECONDS, network, what="feed").content
        found = hashlib.sha256(content).hexdigest()
        if found != feed.content_hash:
            made = _queue(feed, content)
            feed.content_hash = found
    except (MediaError, FeedError, change_sets.NotNowError) as error:
        feed.error = str(error)[:300]
        log.warning("feed was not imported", feed=feed.pk, shop=feed.shop.slug, error=feed.error)
    feed.save(update_fields=["fetched_at", "error", "content_hash"])
    return made


def _queue(feed: Feed, content: bytes) -> ChangeSet:
    with transaction.atomic():
        name = urlsplit(feed.url).path.rpartition("/")[2] or feed.name
        made = change_sets.receive(feed.shop, name, [content], feed=feed)
        made.options = feed.mapping
        made.save(update_fields=["options"])
        change_sets.ask(made, ChangeSet.Task.WRITE)
    return made


def _take(feed: Feed, now: datetime) -> bool:
    """One statement decides which worker fetches it."""
    next_at = now + PERIODS[Feed.Every(feed.every)]
    return bool(Feed.objects.filter(pk=feed.pk, next_at=feed.next_at).update(next_at=next_at))
