from typing import Any

from django.apps import AppConfig
from django.db import transaction


class BotcoreConfig(AppConfig):
    name = "botcore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from catalog.ingest.signals import texts_changed

        texts_changed.connect(_index, dispatch_uid="botcore.index")


def _index(shop_id: int, **_: Any) -> None:
    """Texts changed: their embeddings are to be made again."""
    from botcore import queues

    transaction.on_commit(lambda: queues.wake_index(shop_id))
