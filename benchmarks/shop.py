"""The shop that is measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.models import Shop


def demo_shop() -> Shop:
    """The demo shop of this process's installation, made with its embeddings where it is not there yet."""
    from django.conf import settings

    from catalog.demo.load import load_demo
    from workers.indexing import embed_changed

    shop = load_demo(settings.MEDIA_ROOT)
    embed_changed(shop.pk)
    return shop
