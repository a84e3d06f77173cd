"""Vectors of product pictures kept in step with the catalogue, where an image encoder is configured; by the ``index`` queue.

Pictures come from the shop's own media or from https addresses in its feed, which are not trusted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.utils import timezone
from PIL.Image import Image

from botcore import pictures
from botcore.channels.values import MediaError
from botcore.dialogue.ports import ImageEncoder
from botcore.web_files import download_public
from catalog import pictures as shown
from catalog.models import Shop
from workers import serving

BATCH = 16
FETCH_SECONDS = 15.0
SECONDS = 240.0
"""After so long a shop's other pictures wait for the next beat, so that the texts of all shops are embedded meanwhile."""


def look_at_new(shop_id: int, seconds: float = SECONDS) -> int:
    """Embed the pictures of a shop that are new, then measure what looks alike among all of them. Returns how many were."""
    encoder = serving.images()
    if encoder is None:
        return 0
    shop, end, done = Shop.objects.get(pk=shop_id), time.monotonic() + seconds, 0
    while batch := list(shown.waiting(encoder.name, timezone.now(), shop)[:BATCH]):
        if time.monotonic() > end:
            return done
        done += _look_at(shop, [source for _, source in batch], encoder)
    if not shown.measured(shop, encoder.name):
        shown.measure(shop, encoder.name)
    shown.forget_others(shop, encoder.name)
    return done


def _look_at(shop: Shop, sources: Sequence[str], encoder: ImageEncoder) -> int:
    """Fetch, embed and store some pictures, or why they could not be had. Returns how many were embedded."""
    with ThreadPoolExecutor(BATCH) as pool:
        found = dict(zip(sources, pool.map(_picture, sources), strict=True))
    had = {source: picture for source, picture in found.items() if not isinstance(picture, str)}
    vectors = encoder.encode(list(had.values())) if had else ()
    now = timezone.now()
    shown.keep(shop, encoder.name, dict(zip(had, vectors, strict=True)), now)
    failures = {source: error for source, error in found.items() if isinstance(error, str)}
    shown.keep_failures(shop, encoder.name, failures, now)
    return len(had)


def _picture(source: str) -> Image | str:
    """A product's picture, or why it cannot be had."""
    try:
        return pictures.opened(_content(source))
    except (MediaError, pictures.PictureError, OSError) as error:
        return str(error) if not isinstance(error, OSError) else "no such file"


def _content(source: str) -> bytes:
    if "://" in source:
        return download_public(source, settings.MEDIA_LIMIT, FETCH_SECONDS).content
    root = settings.MEDIA_ROOT.resolve()
    path = (root / source).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise MediaError("no such file")
    if path.stat().st_size > settings.MEDIA_LIMIT:
        raise MediaError(f"more than {settings.MEDIA_LIMIT} bytes")
    return path.read_bytes()
