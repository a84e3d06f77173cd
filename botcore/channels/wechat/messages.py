"""WeChat's XML, in and out.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from botcore.channels.texts import texts_in
from botcore.channels.values import MalformedBodyError, MediaReference, ReceivedEvent
from botcore.models import InboundEvent

MORE = frozenset({"继续", "繼續", "more"})
"""What a customer writes for the rest of an answer."""
UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def read_xml(body: bytes) -> dict[str, str]:
    """The texts of a message by their names. Raises ``MalformedBodyError``, also for what XML can do to its reader."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedBodyError("the body is not XML") from error
    return {child.tag: child.text or "" for child in root}


def write_xml(values: Mapping[str, str | int]) -> bytes:
    """Inverse of :func:`read_xml`, as WeChat writes it: texts in CDATA."""
    parts = "".join(f"<{name}>{_written(value)}</{name}>" for name, value in values.items())
    return f"<xml>{parts}</xml>".encode()


def events_in(message: Mapping[str, str], passive: bool) -> list[ReceivedEvent]:
    """What a message or an event means. ``passive``: the account speaks in its answers only, and some is asked for."""
    person: dict[str, Any] = {"contact_id": _must(message, "FromUserName")}
    if passive:
        person["address"] = {"account": _must(message, "ToUserName")}
    if _must(message, "MsgType") == "event":
        return _events(message, person)
    text = message.get("Content") or message.get("Recognition", "")
    media = _media(message) if not text else ()
    if message["MsgType"] not in ("text", "image", "voice", "video", "shortvideo", "location", "link"):
        return []
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text.strip() else InboundEvent.Kind.OTHER
    data = {"more": True} if passive and text.strip(' .。!！“”"').lower() in MORE else {}
    return [ReceivedEvent(_must(message, "MsgId"), kind, text=text, data=data, media=media, **person)]


def _events(message: Mapping[str, str], person: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A new follower is greeted; an entry of the account's menu says its key. The rest asks nothing.

    Events have no number of their own: they are told apart by who, when and what.
    """
    event, said = message.get("Event", ""), message.get("EventKey", "")
    key = f"{person['contact_id']}:{_must(message, 'CreateTime')}:{event}:{said}"
    if event == "subscribe":
        hello = ReceivedEvent(f"{key}:hello", InboundEvent.Kind.TEXT, text=texts_in("zh")["hello"], **person)
        return [ReceivedEvent(key, InboundEvent.Kind.RESET, **person), hello]
    if event == "CLICK" and said.strip():
        return [ReceivedEvent(key, InboundEvent.Kind.TEXT, text=said, **person)]
    return []


def _media(message: Mapping[str, str]) -> tuple[MediaReference, ...]:
    media_id = message.get("MediaId", "")
    if message["MsgType"] == "image" and media_id:
        return (MediaReference("photo", {"media_id": media_id, "address": message.get("PicUrl", "")}),)
    if message["MsgType"] == "voice" and media_id:
        return (MediaReference("voice", {"media_id": media_id}),)
    return ()


def _must(message: Mapping[str, str], name: str) -> str:
    if not message.get(name):
        raise MalformedBodyError(f"{name} is missing")
    return message[name]


def _written(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f"<![CDATA[{UNWRITABLE.sub('', value).replace(']]>', ']]]]><![CDATA[>')}]]>"
