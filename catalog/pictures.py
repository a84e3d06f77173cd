"""What a shop's pictures look like: which wait to be looked at, which are near to a customer's, and from where on near is alike.

Vectors come from ``workers``; here they are kept and compared, always within one shop and one encoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import MD5
from pgvector import HalfVector
from pgvector.django import CosineDistance

from catalog.models import PictureScale, PictureVector, Product, Shop, Variant

Floats = npt.NDArray[np.float32]

KEPT, TRIED_AGAIN = timedelta(days=30), timedelta(days=1)
"""After so long a picture is looked at again: what stands at an address may change, and what failed may come back."""
NEAREST = 60
"""Pictures that are taken to look like a customer's, at most: as many as a search considers products."""


@dataclass(frozen=True)
class Alike:
    """Pictures of a shop that look like a customer's: cosines by ``source``, nearest first.

    ``near`` is what they had to reach, None where no scale is known; ``best`` the nearest picture's cosine, whether it did.
    """

    model: str = ""
    sources: Mapping[str, float] = field(default_factory=dict)
    near: float | None = None
    best: float | None = None

    def __bool__(self) -> bool:
        return bool(self.sources)

    def to_json(self) -> dict[str, Any]:
        """For the explanation of a reply: the encoder and how near what was found is."""
        told = {source: round(cosine, 4) for source, cosine in list(self.sources.items())[:5]}
        return {"encoder": self.model, "near from": _rounded(self.near), "nearest": _rounded(self.best), "alike": told}


def _rounded(cosine: float | None) -> float | None:
    return None if cosine is None else round(cosine, 4)


# --- kept in step with the catalogue ------------------------------------------------------------------------------------


def waiting(model: str, now: datetime, shop: Shop | None = None) -> QuerySet[Any, Any]:
    """The (shop id, source) of every picture on show that an encoder has not looked at, or not for long."""
    products, variants = Product.objects.filter(active=True), Variant.objects.filter(product__active=True)
    known = PictureVector.objects.filter(model=model, due_at__gt=now)
    if shop:
        products, variants, known = (
            products.filter(shop=shop), variants.filter(product__shop=shop), known.filter(shop=shop)
        )  # fmt: skip
    own = products.exclude(image="").values_list("shop_id", "image")
    shown = variants.exclude(image="").values_list("product__shop_id", "image")
    return own.union(shown).difference(known.values_list("shop_id", "source"))


def keep(shop: Shop, model: str, vectors: Mapping[str, Floats], now: datetime) -> None:
    """Store what pictures look like, by source."""
    rows = [
        PictureVector(shop=shop, model=model, source=source, vector=HalfVector(vector), due_at=now + KEPT)
        for source, vector in vectors.items()
    ]
    _upsert(rows, "vector", "due_at", "error")


def keep_failures(shop: Shop, model: str, errors: Mapping[str, str], now: datetime) -> None:
    """Store why pictures could not be had, by source; what was known of them stays."""
    rows = [
        PictureVector(shop=shop, model=model, source=source, error=error[:200], due_at=now + TRIED_AGAIN)
        for source, error in errors.items()
    ]
    _upsert(rows, "due_at", "error")


def _upsert(rows: Sequence[PictureVector], *fields: str) -> None:
    PictureVector.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["shop", "model", "source"], update_fields=fields
    )


def forget_others(shop: Shop, model: str) -> None:
    """Drop what other encoders made of a shop's pictures."""
    PictureVector.objects.filter(shop=shop).exclude(model=model).delete()
    PictureScale.objects.filter(shop=shop).exclude(model=model).delete()


# --- compared -----------------------------------------------------------------------------------------------------------


def alike(shop: Shop, model: str, vector: Floats) -> Alike:
    """The shop's pictures that look like the one a unit vector is of; none where no scale tells from where on they do."""
    scale = PictureScale.objects.filter(shop=shop, model=model).first()
    near = scale.near if scale else None
    rows = _by_distance(_pictures(shop, model), HalfVector(vector))[:NEAREST]
    cosines = {source: 1 - float(distance) for source, distance in rows}
    return Alike(
        model,
        {source: cosine for source, cosine in cosines.items() if near is not None and cosine >= near},
        near,
        max(cosines.values(), default=None),
    )


def _pictures(shop: Shop, model: str) -> QuerySet[PictureVector]:
    return PictureVector.objects.filter(shop=shop, model=model, vector__isnull=False)


def _by_distance(pictures: QuerySet[PictureVector], vector: Any, beyond: float = -1.0) -> QuerySet[Any, Any]:
    """Rows of source and cosine distance, nearest first, of pictures farther than ``beyond``."""
    measured = pictures.annotate(distance=CosineDistance("vector", vector)).filter(distance__gt=beyond)
    return measured.order_by("distance").values_list("source", "distance")


# --- from where on near is alike ----------------------------------------------------------------------------------------

SAMPLE = 100
"""Pictures by which a shop's scale is measured."""
CHANGED = 0.1
"""Share of a shop's pictures that come or go before its scale is measured anew, in a quarter of a minute for 20,000."""
SAME = 1e-3
"""A distance up to which two pictures are one, stored twice: what a vector's halves differ by."""
KS = 1.358
"""Of the Kolmogorov-Smirnov statistic's critical value at 5 %, times the root of (n + m) / nm."""


def measured(shop: Shop, model: str) -> bool:
    """Whether the scale is of about as many pictures as there are now."""
    scale = PictureScale.objects.filter(shop=shop, model=model).first()
    return scale is not None and abs(_pictures(shop, model).count() - scale.pictures) <= CHANGED * scale.pictures


def measure(shop: Shop, model: str) -> PictureScale:
    """Measure from which cosine on a shop's pictures show things of one kind, and store it.

    A picture of something that the shop sells is played by a picture compared with the others of its category, one of
    something that it does not sell by the same picture compared with those of all other categories. ``near`` is where
    the nearest of the first and of the second are told apart best (Youden 1950), in the middle of the gap there. Where
    they are not told apart better than chance would, nothing is near.
    """
    kinds = _kinds(shop)
    sampled = _pictures(shop, model).order_by(MD5("source"))[:SAMPLE]
    sold, unsold = list[float](), list[float]()
    for picture in sampled:
        if categories := kinds.get(picture.source):
            for cosines, own in ((sold, True), (unsold, False)):
                if (found := _nearest(picture, categories, own)) is not None:
                    cosines.append(found)
    near, told_apart = _border(np.array(sold), np.array(unsold))
    values = {"near": near, "told_apart": told_apart, "pictures": _pictures(shop, model).count()}
    return PictureScale.objects.update_or_create(shop=shop, model=model, defaults=values)[0]


def _kinds(shop: Shop) -> dict[str, set[int]]:
    """The categories whose products show a picture, by source."""
    found: dict[str, set[int]] = {}
    own = Product.objects.filter(shop=shop, active=True).values_list("image", "category_id")
    shown = Variant.objects.filter(product__shop=shop, product__active=True).values_list(
        "image", "product__category_id"
    )
    for source, category in own.union(shown):
        found.setdefault(source, set()).add(category)
    return found


def _nearest(picture: PictureVector, categories: set[int], own: bool) -> float | None:
    """The cosine of the nearest other picture in its own categories, or in none of them."""
    here = Q(image=OuterRef("source")) & ~Q(image="")
    products = Product.objects.filter(here, shop=picture.shop_id, category__in=categories)
    variants = Variant.objects.filter(here, product__shop=picture.shop_id, product__category__in=categories)
    kin = Q(Exists(products)) | Q(Exists(variants))
    others = _pictures(picture.shop, picture.model).filter(kin if own else ~kin)
    found = list(_by_distance(others, picture.vector, beyond=SAME)[:1])
    return 1 - float(found[0][1]) if found else None


def _border(sold: Floats, unsold: Floats) -> tuple[float | None, float]:
    """The cosine that tells the two samples apart best, None where chance would as well, and Youden's J there."""
    if not (sold.size and unsold.size):
        return None, 0.0
    borders = np.unique(sold)
    apart = [float((sold >= border).mean() - (unsold >= border).mean()) for border in borders]
    best = int(np.argmax(apart))
    below = unsold[unsold < borders[best]].max(initial=-1.0)
    by_chance = KS * np.sqrt((sold.size + unsold.size) / (sold.size * unsold.size))
    return (float(borders[best] + below) / 2 if apart[best] > by_chance else None), apart[best]
