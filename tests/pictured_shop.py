"""A shop whose products are known by their colours: its pictures are painted into a media folder, as a merchant uploads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from unittest import mock

from PIL import Image, ImageDraw

from botcore.dialogue.ports import ImageEncoder
from catalog.ingest.records import ProductRecord, VariantRecord
from catalog.ingest.write import upsert_products
from catalog.models import Shop
from tests.fakes import ColourEncoder, HashEncoder
from workers import indexing, looking, serving

GREEN, RED, BLUE, YELLOW, GREY = (40, 150, 70), (190, 90, 30), (40, 70, 190), (230, 200, 40), (128, 128, 128)
KINDS = {
    "backpack": (("Bags", "Backpacks"), GREEN, "canvas"),
    "mug": (("Kitchen", "Mugs"), RED, "clay"),
    "scarf": (("Clothing", "Scarves"), BLUE, "wool"),
}
EACH = 7


def painted(colour: Sequence[int], step: int = 0, kind: str = "PNG", size: tuple[int, int] = (48, 48)) -> bytes:
    """A picture in a colour, a shade of it by ``step``, with a light corner."""
    picture = Image.new("RGB", size, tuple(min(255, part + 6 * step) for part in colour))
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 4 + step, size[1] // 4), fill=(240, 240, 235))
    written = io.BytesIO()
    picture.save(written, kind)
    return written.getvalue()


def open_shop(media_root: Path, slug: str = "pictured") -> Shop:
    """Seven each of green backpacks, red mugs and blue scarves; the last backpack also comes in yellow. Not yet looked at."""
    shop = Shop.objects.create(slug=slug, name="Lantern & Loom")
    folder = media_root / slug
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for kind, (category, colour, material) in KINDS.items():
        for number in range(1, EACH + 1):
            (folder / f"{kind}-{number}.png").write_bytes(painted(colour, number))
            records.append(_record(slug, kind, number, category, material))
    (folder / "backpack-yellow.png").write_bytes(painted(YELLOW))
    upsert_products(shop, records)
    with mock.patch.object(serving, "encoder", HashEncoder):
        indexing.embed_changed(shop.pk)
    return shop


def look_at(shop: Shop, encoder: ImageEncoder | None = None) -> int:
    """What the index worker does where an image encoder is configured."""
    with mock.patch.object(serving, "images", lambda: encoder or ColourEncoder()):
        return looking.look_at_new(shop.pk)


def _record(slug: str, kind: str, number: int, category: tuple[str, ...], material: str) -> ProductRecord:
    sku, image = f"{kind[0].upper()}-{number}", f"{slug}/{kind}-{number}.png"
    variants = [VariantRecord(sku, Decimal(10 * number), stock=5, image=image)]
    if kind == "backpack" and number == EACH:
        yellow = f"{slug}/backpack-yellow.png"
        variants.append(VariantRecord(f"{sku}-Y", Decimal(99), stock=5, image=yellow, attributes={"color": ["yellow"]}))
    return ProductRecord(
        sku, f"Model {number} {kind}", category, tuple(variants), attributes={"material": [material]}, image=image
    )
