"""A turn's pictures and recordings turned into what the dialogue understands: pictures of the shop that look alike, and words.

Everything is fetched, checked and looked at within the reply's time, or the customer is asked for words. No file is kept: of a
recording its words, of a picture which of the shop's own are near.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTimeError
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.conf import settings

from botcore import pictures
from botcore.channels.base import Channel
from botcore.channels.http import content_type_of
from botcore.channels.registry import channel_for
from botcore.channels.values import MediaError, MediaReference, storable
from botcore.dialogue.perceived import MUMBLED, NOTHING, PARTLY, UNHEARD, UNLIKE, UNSEEN, Perceived
from botcore.dialogue.ports import Heard, Ports, RecordingError
from botcore.intake import TEXT_LIMIT
from botcore.models import InboundEvent, Turn
from botcore.pictures import PictureError
from catalog.pictures import NEAREST, Alike, alike

log = structlog.get_logger(__name__)

RECORDINGS = frozenset({"audio/ogg", "audio/mpeg", "audio/wav", "audio/flac"})
"""What libsndfile reads."""
MOST_FILES = 4
"""Of one turn; an album's other pictures are left alone."""
SHARE = 0.75
"""Of the reply's time that files may take; what is left is enough for the dialogue and a phrase."""
PHOTO, VOICE = "photo", "voice"

_pool = ThreadPoolExecutor(8, thread_name_prefix="media")
"""A platform that does not answer holds a thread here, and no worker's."""

Vector = npt.NDArray[np.float32]


@dataclass
class _File:
    """A file of a turn's, and what was made of it: ``failed`` says why nothing was."""

    event: InboundEvent
    media: MediaReference
    place: int
    vector: Vector | None = None
    alike: Alike = field(default_factory=Alike)
    heard: Heard | None = None
    failed: str = ""


def perceive(turn: Turn, ports: Ports, deadline: float) -> Perceived:
    """What the files that came with a turn tell; the words of recordings are put among the turn's messages.

    ``deadline`` (``time.monotonic()``) is the reply's. Raises nothing for what a file or a model does.
    """
    files = _files(turn)
    if not files:
        return NOTHING
    now = time.monotonic()
    until = now + SHARE * (deadline - now)
    channel = channel_for(turn.conversation.contact.account)
    reading = [_pool.submit(_read, channel, file.media, ports, until) for file in files[:MOST_FILES]]
    for file, future in zip_longest(files, reading):
        _wait(file, future, until)
        if file.vector is not None and ports.images:
            file.alike = alike(turn.conversation.shop, ports.images.name, file.vector)
        if file.heard and file.heard.sure:
            _keep_words(file, file.heard)
    return _perceived(files)


def _files(turn: Turn) -> list[_File]:
    """The turn's files in their order; recordings whose words are known by now are messages like others."""
    events = InboundEvent.objects.filter(turn=turn, data__has_key="media").order_by("pk")
    stored = [(event, place, one) for event in events for place, one in enumerate(event.data["media"])]
    return [_File(event, MediaReference.from_json(one), place) for event, place, one in stored if "heard" not in one]


def _wait(file: _File, reading: Future[Vector | Heard] | None, until: float) -> None:
    """Take what was read of a file, or note why there is nothing."""
    if reading is None:
        file.failed = f"more than {MOST_FILES} came at once"
        return
    try:
        found = reading.result(max(0.0, until - time.monotonic()))
    except NotInTimeError:
        reading.cancel()
        file.failed = "not in time"
    except (MediaError, PictureError, RecordingError) as error:
        file.failed = str(error)[:200]
    except Exception as error:  # a model failed; the customer is asked for words
        log.exception("a file could not be read", kind=file.media.kind, error=type(error).__name__)
        file.failed = f"failed ({type(error).__name__})"
    else:
        if isinstance(found, Heard):
            file.heard = found
        else:
            file.vector = found


def _read(channel: Channel, media: MediaReference, ports: Ports, until: float) -> Vector | Heard:
    """Fetch a file and let its model read it, in a thread of its own, without the database. What nothing reads is not
    fetched."""
    if media.kind == PHOTO and ports.images:
        picture = pictures.opened(_fetched(channel, media, pictures.CONTENT_TYPES))
        vector: Vector = ports.images.encode([picture])[0]
        return vector
    if media.kind == VOICE and ports.speech:
        return ports.speech.hear(_fetched(channel, media, RECORDINGS), deadline=until)
    raise MediaError(f"no model for a {media.kind}")


def _fetched(channel: Channel, media: MediaReference, types: Collection[str]) -> bytes:
    try:
        found = channel.fetch_media(media, settings.MEDIA_LIMIT)
    except MediaError:
        raise
    except Exception as error:  # its text may hold an address, and addresses hold tokens
        raise MediaError(f"failed ({type(error).__name__})") from None
    if len(found.content) > settings.MEDIA_LIMIT:
        raise MediaError(f"more than {settings.MEDIA_LIMIT} bytes")
    if (kind := content_type_of(found.content)) not in types:
        raise MediaError(f"{kind} is not read as a {media.kind}")
    return found.content


def _keep_words(file: _File, heard: Heard) -> None:
    """Put what was said among the turn's messages, where merchants read it, and note on the file that it was."""
    words = str(storable(heard.text)).strip()
    event = file.event
    said = {"text": words, "language": heard.language, "confidence": round(heard.confidence, 3)}
    event.text = "\n".join(filter(None, [event.text, words]))[:TEXT_LIMIT]
    event.data["media"][file.place]["heard"] = said
    event.save(update_fields=["text", "data"])


def _perceived(files: Sequence[_File]) -> Perceived:
    photos = [file for file in files if file.media.kind == PHOTO]
    recordings = [file for file in files if file.media.kind == VOICE]
    missed = dict.fromkeys(filter(None, [_missed_photos(photos), _missed_recordings(recordings)]))
    if any(file.failed for file in photos) and not all(file.failed for file in photos):
        missed[PARTLY] = None
    return Perceived(_together([file.alike for file in photos]), tuple(missed), tuple(map(_told, files)))


def _missed_photos(photos: Sequence[_File]) -> str:
    """Why no picture helps, "" where one does or there is none."""
    if not photos or any(file.alike for file in photos):
        return ""
    return UNSEEN if all(file.failed for file in photos) else UNLIKE


def _missed_recordings(recordings: Sequence[_File]) -> str:
    """Why recordings are not among the words, "" where all of them are."""
    unheard = [file for file in recordings if not (file.heard and file.heard.sure)]
    if not unheard:
        return ""
    if len(unheard) < len(recordings):
        return PARTLY
    return MUMBLED if any(file.heard for file in unheard) else UNHEARD


def _together(found: Sequence[Alike]) -> Alike:
    """What looks like any of several pictures, nearest first."""
    seen = [one for one in found if one.model]
    sources: dict[str, float] = {}
    for one in seen:
        for source, cosine in one.sources.items():
            sources[source] = max(cosine, sources.get(source, -1.0))
    nearest = sorted(sources.items(), key=lambda pair: -pair[1])[:NEAREST]
    if not seen:
        return Alike()
    best = max((one.best for one in seen if one.best is not None), default=None)
    return Alike(seen[0].model, dict(nearest), seen[0].near, best)


def _told(file: _File) -> Mapping[str, Any]:
    """What the explanation says of a file."""
    if file.failed:
        return {"kind": file.media.kind, "not used": file.failed}
    if file.heard:
        return {
            "kind": file.media.kind,
            "language": file.heard.language,
            "confidence": round(file.heard.confidence, 3),
            "sure": file.heard.sure,
        }
    return {"kind": file.media.kind, **file.alike.to_json()}
