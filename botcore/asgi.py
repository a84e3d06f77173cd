"""The web process's entry point, for any ASGI server."""

import os
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.asgi import get_asgi_application

from botcore.channels.body_limit import BodyLimit

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
application = BodyLimit(cast("ASGI3Application", get_asgi_application()), limit=4 * settings.WEBHOOK_BODY_LIMIT)
