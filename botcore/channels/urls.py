"""Addresses of platforms, of the web chat and of pictures; included at the root."""

from django.urls import include, path

from botcore.channels import views
from botcore.channels.generic.views import openapi

urlpatterns = [
    path("webhooks/generic/openapi.json", openapi, name="generic-openapi"),
    path("webhooks/<slug:channel>/<slug:key>", views.webhook, name="webhook"),
    path("chat/", include("botcore.channels.webchat.urls")),
    path("media/<path:path>", views.media, name="media"),
]
