from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db import transaction


class SiteConfig(admin.AdminConfig):
    """Django's ``/admin/``, behind the console's door."""

    default = False
    default_site = "botcore.admin_site.Site"


class BotcoreConfig(AppConfig):
    name = "botcore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from botcore import sign_in
        from catalog.ingest.signals import texts_changed

        texts_changed.connect(_index, dispatch_uid="botcore.index")
        sign_in.connect()


def _index(shop_id: int, **_: Any) -> None:
    """Texts changed: their embeddings are to be made again."""
    from botcore import queues

    transaction.on_commit(lambda: queues.wake_index(shop_id))
