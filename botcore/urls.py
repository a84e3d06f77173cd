"""Every address of the web process."""

from django.contrib import admin
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView


def healthz(request: HttpRequest) -> HttpResponse:
    """200 where the web process and its database work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="console:home")),
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("console/", include("admin_console.urls")),
    path("api/v1/", include("botcore.api.urls")),
    path("streams/", include("botcore.streams.urls")),
    path("", include("botcore.channels.urls")),
]
