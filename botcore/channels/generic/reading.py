"""What a shop's app tells us, read as ``openapi.json`` describes it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from botcore.channels import addresses, http
from botcore.channels.values import (
    MalformedBodyError,
    MediaReference,
    Payload,
    ReceivedEvent,
    WebhookRequest,
    object_at,
    objects_at,
    read_json,
    storable,
    text_at,
)
from botcore.feedback import WITHDRAWN
from botcore.models import Feedback, InboundEvent

LONGEST_ID = 150
VERDICTS = (*Feedback.Kind.values, WITHDRAWN)
STATUSES = ("delivered", "read", "failed")
MEDIA_AT_MOST = 10


def read(request: WebhookRequest, media_hosts: Container[str]) -> list[ReceivedEvent]:
    """The one event of a request; none for a type that we do not know. Raises ``MalformedBodyError``."""
    told = read_json(request.body)
    reader = READERS.get(text_at(told, "type", None))
    if reader is None:
        return []
    data = object_at(told, "data")
    contact = object_at(data, "contact")
    person: Payload = {
        "event_key": storable(_id(request.headers, "webhook-id")),
        "contact_id": _id(contact, "id"),
        "contact_name": text_at(contact, "name"),
        "language": text_at(contact, "language").partition("-")[0].lower()[:8],
    }
    return [ReceivedEvent(**person, **reader(data, media_hosts))]


def _message(data: Mapping[str, Any], media_hosts: Container[str]) -> Payload:
    text, media = text_at(data, "text"), tuple(_media(item, media_hosts) for item in objects_at(data, "media"))
    if not (text.strip() or media):
        raise MalformedBodyError("data has neither text nor media")
    if len(media) > MEDIA_AT_MOST:
        raise MalformedBodyError(f"data.media holds more than {MEDIA_AT_MOST}")
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT
    return {"kind": kind, "text": text, "media": media, "data": {"message": _id(data, "id")} if "id" in data else {}}


def _edit(data: Mapping[str, Any], media_hosts: Container[str]) -> Payload:
    text = text_at(data, "text", None)
    if not text.strip():
        raise MalformedBodyError("data.text is empty")
    return {"kind": InboundEvent.Kind.EDIT, "text": text, "data": {"message": _id(data, "id")}}


def _choice(data: Mapping[str, Any], media_hosts: Container[str]) -> Payload:
    return {"kind": InboundEvent.Kind.BUTTON, "data": {"token": _id(data, "token")}}


def _reaction(data: Mapping[str, Any], media_hosts: Container[str]) -> Payload:
    verdict = _one_of(data, "verdict", VERDICTS)
    return {"kind": InboundEvent.Kind.REACTION, "data": {"verdict": verdict, "platform_id": _id(data, "message")}}


def _receipt(data: Mapping[str, Any], media_hosts: Container[str]) -> Payload:
    told = {"status": _one_of(data, "status", STATUSES), "error": text_at(data, "error")[:500]}
    return {"kind": InboundEvent.Kind.STATUS, "data": {"platform_id": _id(data, "message"), **told}}


def _bare(kind: str) -> Callable[[Mapping[str, Any], Container[str]], Payload]:
    return lambda data, media_hosts: {"kind": kind}


READERS: Mapping[str, Callable[[Mapping[str, Any], Container[str]], Payload]] = {
    "message": _message,
    "edit": _edit,
    "choice": _choice,
    "reaction": _reaction,
    "receipt": _receipt,
    "reset": _bare(InboundEvent.Kind.RESET),
    "stop": _bare(InboundEvent.Kind.STOP),
    "start": _bare(InboundEvent.Kind.START),
}


def _media(item: Mapping[str, Any], media_hosts: Container[str]) -> MediaReference:
    """A file at an https address of a host that the account's ``media_hosts`` names."""
    kind, url = _one_of(item, "kind", ("photo", "voice")), text_at(item, "url", None)
    if addresses.refusal(url, allow_private=True) or http.https_host(url) not in media_hosts or len(url) > 2000:
        raise MalformedBodyError("media.url is not an https address at one of the account's media_hosts")
    return MediaReference(kind, {"url": url})


def _id(parent: Mapping[str, Any], name: str) -> str:
    value = text_at(parent, name, None)
    if not 0 < len(value) <= LONGEST_ID:
        raise MalformedBodyError(f"{name} is not 1 to {LONGEST_ID} characters long")
    return value


def _one_of(parent: Mapping[str, Any], name: str, values: tuple[str, ...]) -> str:
    value = text_at(parent, name, None)
    if value not in values:
        raise MalformedBodyError(f"{name} is one of {', '.join(values)}")
    return value
