"""Product pictures are embedded where an encoder is configured: once each, whatever a feed names, and never at others' cost."""

from __future__ import annotations

import pytest
from django.utils import timezone
from PIL import Image

from botcore.channels.values import Media, MediaError
from catalog import pictures
from catalog.models import PictureScale, PictureVector, Product, Variant
from tests.factories import ProductFactory
from tests.fakes import ColourEncoder
from tests.pictured_shop import EACH, GREEN, RED, look_at, open_shop, painted
from workers import looking, serving, tasks

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def shop(root):
    return open_shop(root)


class Counting(ColourEncoder):
    def __init__(self) -> None:
        self.looked_at = 0

    def encode(self, shown):
        self.looked_at += len(shown)
        return super().encode(shown)


def only(shop, source: str) -> PictureVector:
    """Look at the shop with one product alone, whose picture ``source`` is."""
    Variant.objects.filter(product__shop=shop).update(image="")
    Product.objects.filter(shop=shop).exclude(sku="M-1").update(image="")
    Product.objects.filter(shop=shop, sku="M-1").update(image=source)
    look_at(shop)
    return PictureVector.objects.get()


def test_every_picture_is_looked_at_once_though_products_share_it(shop):
    encoder = Counting()
    Product.objects.filter(sku="M-2").update(image="pictured/mug-1.png")
    assert look_at(shop, encoder) == encoder.looked_at == 3 * EACH + 1
    assert look_at(shop, encoder) == 0
    assert encoder.looked_at == 3 * EACH + 1
    assert PictureScale.objects.get().near is not None


def test_the_scale_is_measured_anew_when_a_tenth_of_the_pictures_are_new(shop, root):
    look_at(shop)
    first = PictureScale.objects.get().measured_at
    for number, again in ((1, False), (2, False), (3, True)):
        (root / "pictured" / f"new-{number}.png").write_bytes(painted(RED, number))
        ProductFactory(shop=shop, image=f"pictured/new-{number}.png")
        assert look_at(shop) == 1
        assert (PictureScale.objects.get().measured_at > first) == again


def test_nothing_is_looked_at_without_an_encoder(shop, monkeypatch):
    monkeypatch.setattr(serving, "images", lambda: None)
    assert looking.look_at_new(shop.pk) == 0
    assert not PictureVector.objects.exists()


def test_the_task_that_embeds_texts_looks_at_pictures(shop, monkeypatch):
    monkeypatch.setattr(serving, "images", ColourEncoder)
    tasks.embed(shop.pk)
    assert PictureVector.objects.filter(shop=shop).count() == 3 * EACH + 1


def test_the_beat_looks_at_every_shop_s(shop, root, monkeypatch):
    other = open_shop(root, "other")
    monkeypatch.setattr(serving, "images", ColourEncoder)
    tasks.look_at_pictures()
    assert {row.shop_id for row in PictureVector.objects.all()} == {shop.pk, other.pk}


def test_time_that_is_up_leaves_the_rest_to_the_next_beat(shop, monkeypatch):
    monkeypatch.setattr(serving, "images", ColourEncoder)
    assert looking.look_at_new(shop.pk, seconds=-1) == 0
    assert not PictureScale.objects.exists()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("pictured/none.png", "no such file"),
        ("../secret.png", "no such file"),
        ("/etc/hostname", "no such file"),
        ("pictured", "no such file"),
        ("pictured/way-out.png", "no such file"),
        ("pictured/page.png", "cannot be opened"),
        ("pictured/large.png", "more than 8000000 bytes"),
        ("http://pictures.example/a.png", "not a plain https address"),
        ("https://127.0.0.1/a.png", "cannot be reached"),
        ("https://169.254.169.254/latest", "cannot be reached"),
    ],
)
def test_what_cannot_be_had_is_noted_and_left_alone_for_a_day(shop, root, source, why):
    (root.parent / "secret.png").write_bytes(painted(RED))
    (root / "pictured" / "way-out.png").symlink_to(root.parent / "secret.png")
    (root / "pictured" / "page.png").write_text("<script>")
    (root / "pictured" / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8_000_000))
    row = only(shop, source)
    assert row.vector is None
    assert why in row.error
    assert 0.9 < (row.due_at - timezone.now()) / pictures.TRIED_AGAIN <= 1
    assert list(pictures.waiting(ColourEncoder.name, timezone.now(), shop)) == []


def test_a_picture_from_an_address_is_looked_at(shop, monkeypatch):
    monkeypatch.setattr(looking, "download_public", lambda url, limit, seconds: Media(painted(GREEN), "image/png"))
    row = only(shop, "https://pictures.example/green.png")
    assert row.error == ""
    (expected,) = ColourEncoder().encode([Image.new("RGB", (9, 9), GREEN)])
    assert float(expected @ row.vector) > 0.9


def test_a_picture_that_comes_back_is_seen_again(shop, monkeypatch):
    def gone(*_):
        raise MediaError("answered 503")

    monkeypatch.setattr(looking, "download_public", gone)
    assert only(shop, "https://pictures.example/green.png").error == "answered 503"
    PictureVector.objects.update(due_at=timezone.now())
    monkeypatch.setattr(looking, "download_public", lambda *_: Media(painted(GREEN), "image/png"))
    look_at(shop)
    row = PictureVector.objects.get()
    assert (row.error, row.vector is None) == ("", False)
