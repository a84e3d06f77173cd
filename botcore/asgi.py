"""The web process's entry point, for any ASGI server."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
application = get_asgi_application()
