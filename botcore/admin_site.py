"""Django's own ``/admin/`` has no door of its own: who may enter has come through the console's, with password and code."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from botcore import second_factor


class Site(AdminSite):
    """For staff who owe no second factor."""

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return super().has_permission(request) and isinstance(user, User) and not second_factor.owed(user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The console's login, which comes back here; who is logged in and may not enter goes to the console."""
        if request.user.is_authenticated:
            return redirect_to_login(reverse("console:home"))
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
