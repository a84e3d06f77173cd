"""From a platform's photo to its answer there: intake, a worker with the models that serve, delivery; real model code, random
weights.
"""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from botcore import delivery, intake, media, queues
from botcore.channels.values import MediaReference, ReceivedEvent
from botcore.models import Contact, Conversation, Outbound, Turn
from catalog.models import PictureScale
from tests.factories import AccountFactory
from tests.fakes import FakeChannel, Wakes
from tests.pictured_shop import EACH, look_at, open_shop
from tests.workers.engine.test_clip import save_clip
from workers import serving, tasks
from workers.engine.artefacts import ArtefactError
from workers.engine.clip import ClipEncoder
from workers.engine.writing import TokenGenerator

pytestmark = pytest.mark.django_db


@pytest.fixture
def encoder(tmp_path):
    return ClipEncoder(save_clip(tmp_path / "small-clip"))


@pytest.fixture
def platform(monkeypatch):
    channel = FakeChannel()
    for module in (media, delivery):
        monkeypatch.setattr(module, "channel_for", lambda account: channel)
    monkeypatch.setattr(queues, "app", Wakes())
    monkeypatch.setattr(serving, "generators", serving.Lending(_no_generator))
    return channel


def _no_generator(version: int) -> TokenGenerator:
    raise ArtefactError("phrases do")


def sends(account, *files: MediaReference, text: str = "") -> Turn:
    (turn_id,) = intake.accept(account, [ReceivedEvent(uuid.uuid4().hex, "media", "ada", text, media=files)])
    tasks.answer(turn_id)
    tasks.deliver(Outbound.objects.get(turn=turn_id).pk)
    return Turn.objects.get(pk=turn_id)


def test_a_photo_is_answered_on_its_platform_with_what_looks_like_it(
    encoder, platform, settings, tmp_path, monkeypatch
):
    settings.MEDIA_ROOT = tmp_path / "media"
    shop = open_shop(settings.MEDIA_ROOT)
    assert look_at(shop, encoder) == 3 * EACH + 1
    scale = PictureScale.objects.get()
    assert scale.model == encoder.name
    PictureScale.objects.update(near=0.999)  # random weights tell little apart: the picture itself is near all the same
    monkeypatch.setattr(serving, "images", lambda: encoder)
    platform.files["mine"] = (settings.MEDIA_ROOT / "pictured" / "scarf-4.png").read_bytes()

    turn = sends(AccountFactory(shop=shop), MediaReference("photo", {"name": "mine"}))

    assert turn.slate[0]["sku"] == "S-4"
    assert turn.understanding["media"][0]["encoder"] == encoder.name
    (sent,) = platform.sent
    assert sent["text"] == turn.reply
    assert "closest to your picture" in sent["text"]


def test_without_models_the_customer_is_asked_for_words_on_the_platform_and_then_answered(
    platform, settings, tmp_path, monkeypatch
):
    settings.MEDIA_ROOT = tmp_path / "media"
    account = AccountFactory(shop=open_shop(settings.MEDIA_ROOT))
    sends(account, MediaReference("photo", {"name": "mine"}), MediaReference("voice", {"name": "said"}))
    Turn.objects.update(created_at=timezone.now() - intake.BURST)
    sends(account, text="show me scarves")
    asked, answered = (payload["text"] for payload in platform.sent)
    assert "words" in asked
    assert "scarf" in answered
    assert Conversation.objects.get(contact=Contact.objects.get()).turns.count() == 2
