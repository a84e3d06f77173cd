"""Microsoft Teams through the Bot Framework's connector (https://learn.microsoft.com/microsoftteams/platform/bots).

Personal chats, and groups and channels where the bot is mentioned. Microsoft signs no bodies: a call is proved by its
token, which names the address of the service that it came from, and only there do we answer.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from botcore.channels import http
from botcore.channels.base import API_BASE, Channel, Check, Field
from botcore.channels.chunking import chunks
from botcore.channels.layout import full_text, is_public
from botcore.channels.teams import tokens
from botcore.channels.texts import texts_in
from botcore.channels.values import (
    Answer,
    Capabilities,
    Card,
    MalformedBodyError,
    Media,
    MediaError,
    MediaReference,
    OutboundMessage,
    Payload,
    ReceivedEvent,
    Recipient,
    SendResult,
    WebhookRequest,
    object_at,
    objects_at,
    read_json,
    text_at,
)
from botcore.models import InboundEvent

GUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
ANY_TENANT = "botframework.com"
"""The tenant that grants tokens to bots of no tenant of their own."""
CARDS_IN_A_CAROUSEL = 10
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
FILE_HOSTS = (".sharepoint.com", ".sharepoint.us")
"""Where Teams keeps the files of a chat; their addresses open without our token."""
SOUNDS, PICTURES = frozenset({"mp3", "m4a", "wav", "ogg", "flac"}), frozenset({"jpg", "jpeg", "png", "gif", "webp"})

UP = frozenset({"like", "heart", "1f44d_thumbsup", "yes", "plusone"})
DOWN = frozenset({"dislike", "angry", "1f44e_thumbsdown", "no"})


class Teams(Channel):
    name = "teams"
    title = "Microsoft Teams"
    capabilities = Capabilities(
        text_limit=8000,
        buttons=6,
        label=64,
        payload_bytes=2000,
        pictures=True,
        carousel=CARDS_IN_A_CAROUSEL,
        feedback="native",
        edit=True,
        typing=True,
        ack_seconds=10,
        rate=25,
        burst=10,
    )
    fields = (
        Field("app_id", "Microsoft App ID", "on the bot's Configuration page: a GUID", pattern=GUID),
        Field(
            "app_password",
            "Client secret",
            "made under Certificates & secrets; its Value, not its ID, without spaces",
            pattern=r"\S{8,}",
            secret=True,
        ),
        Field(
            "tenant",
            "App Tenant ID",
            "the GUID beside the App ID; leave it out for a multi-tenant bot",
            pattern=f"{GUID}|[a-zA-Z0-9.-]+",
            required=False,
        ),
        Field("cloud", "Microsoft's cloud", "public or us; public without it", pattern="public|us", required=False),
        Field(
            "openid_url",
            "Address of Microsoft's signing keys",
            "the OpenID metadata of the Bot Framework; leave it out for the cloud's own",
            pattern="https?://.+",
            required=False,
            ours=True,
        ),
        API_BASE,
    )
    steps = (
        "At https://portal.azure.com create an Azure Bot and copy its Microsoft App ID, its App Tenant ID and a new client "
        "secret into the fields below.",
        "On its Configuration page paste {webhook} as the messaging endpoint.",
        "Under Channels add Microsoft Teams.",
        "At https://dev.teams.microsoft.com make an app with this bot (scopes Personal, and Team and Group chat as you "
        "like) and publish it to your organisation.",
    )

    # --- in ---------------------------------------------------------------------------------------------------------

    def verify(self, request: WebhookRequest) -> bool:
        """Whether Microsoft's token is valid for this bot, for the service the activity names and for its channel.

        Pure but for the signing keys, which are fetched now and then: without them nobody is believed.
        """
        keys = tokens.keys_at(str(self.config.get("openid_url") or self._cloud.metadata))
        authorization = request.headers.get("authorization", "")
        caller = tokens.caller(authorization, self._cloud.issuer, str(self.config.get("app_id", "")), keys, request.at)
        if caller is None:
            return False
        try:
            activity = read_json(request.body)
        except MalformedBodyError:
            return False
        channel_id = activity.get("channelId")
        endorsed = isinstance(channel_id, str) and channel_id in caller.endorsements
        return endorsed and activity.get("serviceUrl") == caller.service_url

    def parse(self, request: WebhookRequest) -> list[ReceivedEvent]:
        activity = read_json(request.body)
        kind = text_at(activity, "type", None)
        # The Bot Framework's other channels let anybody choose who they are.
        if activity.get("channelId") != "msteams":
            return []
        if kind == "message":
            return _message_events(activity)
        if kind == "messageUpdate" and _channel_data(activity).get("eventType") == "editMessage":
            return _edit_events(activity)
        if kind == "messageReaction":
            return _reaction_events(activity)
        return _feedback_events(activity) if kind == "invoke" else []

    def ack(self, received: Sequence[ReceivedEvent]) -> Answer:
        """An invoke wants a body."""
        return Answer.json({})

    # --- out --------------------------------------------------------------------------------------------------------

    def render(self, message: OutboundMessage) -> list[Payload]:
        """A message for every piece of the text; the last one has the products as a carousel, and Teams' own thumbs."""
        pieces = chunks(full_text(message), self.capabilities.text_limit)
        said: list[Payload] = [{"type": "message", "textFormat": "plain", "text": piece} for piece in pieces]
        cards = [_card(card, texts_in(message.language)) for card in message.cards]
        shown = [
            {"attachmentLayout": "carousel", "attachments": cards[start : start + CARDS_IN_A_CAROUSEL]}
            for start in range(0, len(cards), CARDS_IN_A_CAROUSEL)
        ]
        if said and shown:
            said[-1] |= shown.pop(0)
        calls = [*said, *({"type": "message", **carousel} for carousel in shown)]
        if calls and message.up and message.down:
            calls[-1]["channelData"] = {"feedbackLoopEnabled": True}
        return calls

    def send(self, recipient: Recipient, payload: Payload, idempotency_key: UUID) -> SendResult:
        address = recipient.address
        ends = {
            name: {"id": address[key]}
            for name, key in (("from", "bot"), ("recipient", "user"), ("conversation", "conversation"))
            if address.get(key)
        }
        return self._call("send", "POST", recipient, "", ends | payload)

    def edit(self, recipient: Recipient, platform_id: str, payload: Payload) -> SendResult:
        return self._call("edit", "PUT", recipient, f"/{quote(platform_id, safe='')}", {"id": platform_id, **payload})

    def typing(self, recipient: Recipient) -> None:
        self._call("typing", "POST", recipient, "", {"type": "typing"})

    def fetch_media(self, media: MediaReference, limit: int) -> Media:
        """A picture that the service keeps, which wants our token, or a file of the chat, which must not have it."""
        url, service = str(media.reference.get("url", "")), str(media.reference.get("service", ""))
        own, host = str(self.config.get("api_base_url") or ""), http.https_host(url)
        if (host and host == http.https_host(service)) or (own and url.startswith(f"{own}/")):
            token = tokens.access_token(self._credentials)
            if isinstance(token, SendResult):
                raise MediaError(token.error)
            return http.download("file", url, limit, headers={"Authorization": f"Bearer {token}"})
        if host.endswith(FILE_HOSTS):
            return http.download("file", url, limit)
        raise MediaError("file: not an address of Teams")

    @property
    def _cloud(self) -> tokens.Cloud:
        return tokens.CLOUDS[str(self.config.get("cloud") or "public")]

    @property
    def _credentials(self) -> tokens.Credentials:
        login = str(self.config.get("api_base_url") or self._cloud.login)
        tenant = str(self.config.get("tenant") or ANY_TENANT)
        return tokens.Credentials(
            f"{login}/{tenant}/oauth2/v2.0/token",
            str(self.config["app_id"]),
            str(self.config["app_password"]),
            self._cloud.scope,
        )

    def _service(self, verified: str) -> str:
        """Where to call: the address that Microsoft's token named, by https alone, unless the account has its own."""
        own = str(self.config.get("api_base_url") or "")
        return own or (verified.rstrip("/") if http.https_host(verified) else "")

    def _call(self, what: str, method: str, recipient: Recipient, path: str, body: Payload) -> SendResult:
        service = self._service(str(recipient.address.get("service", "")))
        conversation = str(recipient.address.get("conversation", ""))
        if not (service and conversation):
            return SendResult(ok=False, permanent=True, error=f"{what}: this contact has not written yet")
        token = tokens.access_token(self._credentials)
        if isinstance(token, SendResult):
            return token
        url = f"{service}/v3/conversations/{quote(conversation, safe='')}/activities{path}"
        try:
            response = http.call(what, method, url, json=body, headers={"Authorization": f"Bearer {token}"})
        except http.UnreachableError as error:
            return http.unreachable(error)
        if response.status_code == 401:
            tokens.forget(self._credentials)
        return _result(what, response)

    # --- setting up -------------------------------------------------------------------------------------------------

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        return str(config.get("app_id", ""))

    def check(self) -> Check:
        token = tokens.access_token(self._credentials)
        if isinstance(token, SendResult):
            return Check(False, token.error)
        return Check(True, f"Microsoft knows the bot {self.config['app_id']}")

    def connect(self, webhook_url: str) -> Sequence[str]:
        return [
            f"webhook: {webhook_url}",
            "paste it as the messaging endpoint on the Configuration page of your Azure Bot; it must be reachable by https",
        ]


# --- reading activities -----------------------------------------------------------------------------------------------


def _message_events(activity: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A person's message, or a press of a product's button, which is a message without words."""
    if not _is_for_us(activity):
        return []
    key = _key(activity)
    value = activity.get("value")
    if isinstance(value, dict):
        token = text_at(value, "token")
        return (
            [ReceivedEvent(key, InboundEvent.Kind.BUTTON, data={"token": token}, **_person(activity))] if token else []
        )
    text, media = _words(activity), tuple(_media(activity))
    kind = InboundEvent.Kind.MEDIA if media else InboundEvent.Kind.TEXT if text else InboundEvent.Kind.OTHER
    data = {"message": text_at(activity, "id")}
    return [ReceivedEvent(key, kind, text=text, data=data, media=media, **_person(activity))]


def _edit_events(activity: Mapping[str, Any]) -> list[ReceivedEvent]:
    text = _words(activity)
    if not text or not _is_for_us(activity):
        return []
    key = _key(activity, "edit", text_at(activity, "timestamp"), text)
    data = {"message": text_at(activity, "id")}
    return [ReceivedEvent(key, InboundEvent.Kind.EDIT, text=text, data=data, **_person(activity))]


def _reaction_events(activity: Mapping[str, Any]) -> list[ReceivedEvent]:
    """A reaction to one of our messages, or its withdrawal. Faces that neither praise nor blame say nothing."""
    added = {text_at(one, "type").lower() for one in objects_at(activity, "reactionsAdded")}
    taken = {text_at(one, "type").lower() for one in objects_at(activity, "reactionsRemoved")}
    verdict = "up" if added & UP else "down" if added & DOWN else "none" if taken & (UP | DOWN) else ""
    return [_opinion(activity, verdict)] if verdict else []


def _feedback_events(activity: Mapping[str, Any]) -> list[ReceivedEvent]:
    """Teams' own thumbs, with what the person wrote to explain them."""
    value = activity.get("value")
    if activity.get("name") != "message/submitAction" or not isinstance(value, dict):
        return []
    if value.get("actionName") != "feedback":
        return []
    given = object_at(value, "actionValue")
    verdict = {"like": "up", "dislike": "down"}.get(text_at(given, "reaction"))
    return [_opinion(activity, verdict, _explanation(given.get("feedback")))] if verdict else []


def _opinion(activity: Mapping[str, Any], verdict: str, text: str = "") -> ReceivedEvent:
    data = {"verdict": verdict, "platform_id": text_at(activity, "replyToId", None)}
    person = _person(activity)
    person.pop("address")
    return ReceivedEvent(_key(activity), InboundEvent.Kind.REACTION, text=text, data=data, **person)


def _explanation(feedback: Any) -> str:
    """What was written beside a thumb: JSON within JSON."""
    try:
        given = json.loads(feedback) if isinstance(feedback, str) else feedback
    except (ValueError, RecursionError):
        return ""
    text = given.get("feedbackText") if isinstance(given, dict) else ""
    return text.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def _is_for_us(activity: Mapping[str, Any]) -> bool:
    """Whether a person says this to the bot: in private, by a button of ours, or by its name where others listen."""
    sender, bot = object_at(activity, "from"), _id_at(activity, "recipient")
    if sender.get("role") == "bot" or _id_at(activity, "from") == bot:
        return False
    return _is_private(activity) or isinstance(activity.get("value"), dict) or any(_mentions(activity, bot))


def _is_private(activity: Mapping[str, Any]) -> bool:
    conversation = object_at(activity, "conversation")
    return conversation.get("conversationType", "group" if conversation.get("isGroup") else "personal") == "personal"


def _mentions(activity: Mapping[str, Any], bot: str) -> Iterator[str]:
    """How a message calls the bot by its name."""
    for entity in objects_at(activity, "entities"):
        mentioned = entity.get("mentioned")
        if entity.get("type") == "mention" and isinstance(mentioned, dict) and mentioned.get("id") == bot:
            yield text_at(entity, "text")


def _words(activity: Mapping[str, Any]) -> str:
    """What a person wrote, without the bot's name and without Teams' marks around others'."""
    text = text_at(activity, "text")
    for mention in filter(None, _mentions(activity, _id_at(activity, "recipient"))):
        text = text.replace(mention, " ")
    return html.unescape(re.sub(r"</?at(?:\s[^>]*)?>", "", text)).replace("\xa0", " ").replace("\0", "").strip()


def _media(activity: Mapping[str, Any]) -> Iterator[MediaReference]:
    """Pictures in a message, and files beside it. Teams also repeats the words as an attachment, which is not one."""
    service = text_at(activity, "serviceUrl")
    for attachment in objects_at(activity, "attachments"):
        kind, content = text_at(attachment, "contentType"), attachment.get("content")
        if kind.startswith("image/"):
            yield MediaReference("photo", {"url": text_at(attachment, "contentUrl"), "service": service})
        elif kind == DOWNLOAD and isinstance(content, dict):
            ending = text_at(content, "fileType").lower()
            name = "photo" if ending in PICTURES else "voice" if ending in SOUNDS else ""
            if name:
                yield MediaReference(name, {"url": text_at(content, "downloadUrl"), "service": service})


def _person(activity: Mapping[str, Any]) -> Payload:
    """Who it is, and where they are answered. Where others listen the same person is another contact."""
    sender, conversation = object_at(activity, "from"), _id_at(activity, "conversation")
    user = _id_at(activity, "from")
    group = conversation.partition(";")[0]  # without the thread
    return {
        "contact_id": user if _is_private(activity) else _digest(group, user),
        "contact_name": text_at(sender, "name"),
        "language": text_at(activity, "locale").partition("-")[0].lower()[:8],
        "address": {
            "service": text_at(activity, "serviceUrl"),
            "conversation": conversation,
            "bot": _id_at(activity, "recipient"),
            "user": user,
        },
    }


def _key(activity: Mapping[str, Any], *more: str) -> str:
    """An activity's id is its conversation's own."""
    return _digest(_id_at(activity, "conversation"), text_at(activity, "id", None), *more)


def _id_at(activity: Mapping[str, Any], name: str) -> str:
    """The id of the object under a name. Raises ``MalformedBodyError``."""
    found = text_at(object_at(activity, name), "id", None)
    if not found:
        raise MalformedBodyError(f"{name}.id is missing")
    return found


def _channel_data(activity: Mapping[str, Any]) -> Mapping[str, Any]:
    data = activity.get("channelData")
    return data if isinstance(data, dict) else {}


def _digest(*parts: str) -> str:
    """One short key for several long ones."""
    return sha256("\n".join(parts).encode()).hexdigest()


# --- writing activities -----------------------------------------------------------------------------------------------


def _card(card: Card, texts: Mapping[str, str]) -> Payload:
    """One product as an Adaptive Card. Its texts are runs, which Teams does not read as Markdown."""
    lines = [
        _line(card.title, weight="Bolder", size="Medium"),
        _line(card.price, weight="Bolder"),
        *([_line(card.detail, isSubtle=True)] if card.detail else []),
    ]
    picture = [{"type": "Image", "url": card.image_url, "altText": card.title, "size": "Stretch"}]
    buttons: list[Payload] = []
    if card.choice.token:
        buttons.append({"type": "Action.Submit", "title": texts["choose"], "data": {"token": card.choice.token}})
    if is_public(card.url):
        buttons.append({"type": "Action.OpenUrl", "title": texts["open"], "url": card.url})
    content = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "body": [*(picture if is_public(card.image_url) else []), *lines],
        "actions": buttons,
    }
    return {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}


def _line(text: str, **style: Any) -> Payload:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _result(what: str, response: httpx.Response) -> SendResult:
    answer = http.json_of(response)
    if response.is_success and isinstance(answer.get("id"), str):
        return SendResult(ok=True, platform_id=answer["id"])
    error = answer.get("error")
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    return http.refused(what, response, code if re.fullmatch(r"\w{1,60}", code) else "no explanation")
