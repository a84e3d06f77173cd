"""The console alone, at the place where the project has it."""

from django.urls import include, path

urlpatterns = [path("console/", include("admin_console.urls"))]
