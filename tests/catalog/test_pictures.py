"""A shop's pictures: which wait to be looked at, which look like another, and from where on that may be said."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from PIL import Image

from catalog import pictures
from catalog.models import PictureScale, PictureVector, Product, Variant
from catalog.search import ProductQuery, search_products
from tests.factories import CategoryFactory, ProductFactory, ShopFactory
from tests.fakes import ColourEncoder
from tests.pictured_shop import BLUE, EACH, GREEN, GREY, RED, YELLOW, look_at, open_shop

pytestmark = pytest.mark.django_db
ENCODER = ColourEncoder()
NOW = timezone.now()


@pytest.fixture
def shop(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    shop = open_shop(settings.MEDIA_ROOT)
    look_at(shop)
    return shop


def alike(shop, colour, model=ENCODER.name):
    (vector,) = ENCODER.encode([Image.new("RGB", (30, 20), tuple(colour))])
    return pictures.alike(shop, model, vector)


def found(shop, colour, **wishes):
    query = ProductQuery(shop=shop, alike=alike(shop, colour), **wishes)
    return [candidate.product.sku for candidate in search_products(query)]


# --- which wait


def test_every_picture_waits_once_however_many_show_it(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    shop, other = open_shop(tmp_path), open_shop(tmp_path, "other")
    waiting = list(pictures.waiting("m", NOW))
    assert len(waiting) == len(set(waiting)) == 2 * (3 * EACH + 1)
    assert {pk for pk, _ in pictures.waiting("m", NOW, other)} == {other.pk}
    Product.objects.filter(shop=shop).update(active=False)
    assert list(pictures.waiting("m", NOW, shop)) == []


def test_what_was_looked_at_waits_for_another_encoder_and_for_its_time(shop):
    assert list(pictures.waiting(ENCODER.name, NOW, shop)) == []
    assert len(pictures.waiting("another", NOW, shop)) == 3 * EACH + 1
    assert len(pictures.waiting(ENCODER.name, NOW + pictures.KEPT + timedelta(hours=1), shop)) == 3 * EACH + 1


def test_a_new_picture_of_a_known_product_waits(shop):
    Variant.objects.filter(sku="M-1").update(image="pictured/new.png")
    assert list(pictures.waiting(ENCODER.name, NOW, shop)) == [(shop.pk, "pictured/new.png")]


def test_a_picture_that_fails_later_is_remembered_as_it_was(shop):
    before = PictureVector.objects.get(source="pictured/mug-1.png").vector
    pictures.keep_failures(shop, ENCODER.name, {"pictured/mug-1.png": "gone", "x": "gone"}, NOW)
    assert PictureVector.objects.get(source="pictured/mug-1.png").vector == before
    assert PictureVector.objects.get(source="x").vector is None
    assert alike(shop, RED).sources.keys() >= {"pictured/mug-1.png"}


# --- which look alike


def test_the_nearest_come_first_and_nothing_unlike_at_all(shop):
    skus = found(shop, RED)
    assert skus[0] == "M-1"
    assert {sku[0] for sku in skus} == {"M"}
    seen = alike(shop, GREEN)
    assert list(seen.sources.values()) == sorted(seen.sources.values(), reverse=True)
    assert seen.near is not None
    assert min(seen.sources.values()) >= seen.near


def test_what_looks_like_nothing_here_finds_nothing(shop):
    seen = alike(shop, GREY)
    assert not seen
    assert found(shop, GREY) == []
    assert seen.best is not None
    assert seen.best < seen.near


def test_a_product_is_shown_as_the_variant_on_the_picture(shop):
    (candidate,) = search_products(ProductQuery(shop=shop, alike=alike(shop, YELLOW)))
    assert (candidate.product.sku, candidate.variant.sku) == ("B-7", "B-7-Y")
    assert candidate.features == {"picture": pytest.approx(candidate.score, abs=1e-4)}


def test_a_variant_that_is_sold_out_brings_its_product_in_no_more(shop):
    Variant.objects.filter(sku="B-7-Y").update(stock=0)
    assert found(shop, YELLOW) == []


def test_hard_wishes_hold_for_what_looks_alike(shop):
    assert found(shop, RED, price_high=Decimal(20)) == ["M-1", "M-2"]
    assert found(shop, RED, category="bags") == []
    assert "M-1" not in found(shop, RED, exclude=("M-1",))


def test_another_shop_s_pictures_are_never_found(shop, settings):
    other = open_shop(settings.MEDIA_ROOT, "other")
    look_at(other)
    assert all(source.startswith("pictured/") for source in alike(shop, RED).sources)
    query = ProductQuery(shop=other, alike=alike(shop, RED))
    assert search_products(query) == []


def test_vectors_of_another_encoder_are_never_compared(shop):
    (vector,) = ENCODER.encode([Image.new("RGB", (9, 9), RED)])
    wide = np.ones(700, dtype=np.float32) / np.sqrt(700)
    pictures.keep(shop, "wide-1", {"pictured/mug-1.png": wide}, NOW)
    assert alike(shop, RED).sources
    assert not pictures.alike(shop, "wide-1", wide)  # no scale yet
    assert pictures.alike(shop, "wide-1", wide).best == pytest.approx(1, abs=1e-3)
    assert pictures.alike(shop, "gone-1", vector).best is None


def test_the_other_encoders_vectors_go_once_this_one_has_looked_at_all(shop):
    class Newer(ColourEncoder):
        name = "colours-2"

    assert look_at(shop, Newer()) == 3 * EACH + 1
    assert set(PictureVector.objects.values_list("model", flat=True)) == {"colours-2"}
    assert set(PictureScale.objects.values_list("model", flat=True)) == {"colours-2"}
    assert not alike(shop, RED)


# --- from where on


def test_the_scale_lies_between_what_a_category_shares_and_what_it_does_not(shop):
    scale = PictureScale.objects.get()
    assert scale.told_apart > 0.9
    assert scale.pictures == 3 * EACH + 1
    reds, blues = (ENCODER.encode([Image.new("RGB", (30, 20), colour)])[0] for colour in (RED, BLUE))
    assert float(reds @ blues) < scale.near < 1


def test_an_encoder_that_tells_nothing_apart_calls_nothing_alike(shop):
    class Blind(ColourEncoder):
        name = "blind-1"

        def encode(self, shown):
            rows = np.random.default_rng(3).standard_normal((len(shown), 32)).astype(np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    look_at(shop, Blind())
    scale = PictureScale.objects.get()
    assert (scale.near, scale.model) == (None, "blind-1")
    vector = np.array(PictureVector.objects.get(source="pictured/mug-1.png").vector, dtype=np.float32)
    seen = pictures.alike(shop, "blind-1", vector)
    assert not seen
    assert seen.best == pytest.approx(1, abs=1e-3)


def test_a_shop_of_one_category_has_no_scale():
    shop = ShopFactory()
    category = CategoryFactory(shop=shop)
    for number in range(12):
        ProductFactory(shop=shop, category=category, image=f"{number}.png")
    shades = [ENCODER.encode([Image.new("RGB", (9, 9), (200, 10 * n, 30))])[0] for n in range(12)]
    pictures.keep(shop, "m", {f"{n}.png": shade for n, shade in enumerate(shades)}, NOW)
    assert pictures.measure(shop, "m").near is None


def test_a_placeholder_that_all_products_share_makes_nothing_alike(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    shop = open_shop(tmp_path)
    Product.objects.filter(shop=shop).update(image="pictured/mug-1.png")
    Variant.objects.filter(product__shop=shop).update(image="")
    look_at(shop)
    assert PictureScale.objects.get().near is None


@pytest.mark.parametrize(
    ("sold", "unsold", "near"),
    [
        ([0.9, 0.92, 0.95, 0.97, 0.99], [0.1, 0.2, 0.3, 0.4, 0.5], 0.7),
        ([0.5, 0.9, 0.9, 0.95, 0.95, 0.97], [0.1, 0.2, 0.3, 0.4, 0.6, 0.6], 0.75),
        ([0.1, 0.2, 0.3, 0.4], [0.9, 0.9, 0.9, 0.9], None),
        ([0.9, 0.9], [0.1, 0.1], None),
        ([], [0.1] * 9, None),
    ],
)
def test_the_border_is_where_both_are_told_apart_best_if_not_by_chance(sold, unsold, near):
    assert pictures._border(np.array(sold), np.array(unsold))[0] == near


# --- at rest


def test_pictures_are_found_by_an_index(shop):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for model, index in ((Product, "product_by_picture"), (Variant, "variant_by_picture")):
        assert index in model.objects.filter(image__in=["a", "b"]).exclude(image="").values("pk").explain()


@pytest.mark.django_db(transaction=True)
def test_the_migration_goes_back_and_forth():
    call_command("migrate", "catalog", "0007", verbosity=0)
    assert "catalog_picturevector" not in connection.introspection.table_names()
    call_command("migrate", verbosity=0)  # with what rests on it in other apps
    assert "catalog_picturevector" in connection.introspection.table_names()
