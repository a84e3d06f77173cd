"""The console's addresses, under ``/console/``."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from admin_console import views

app_name = "console"
urlpatterns = [
    path("", views.home, name="home"),
    path("conversations/<uuid:key>/", views.conversation, name="conversation"),
    path("conversations/<uuid:key>/take-over/", views.take_over, name="take_over"),
    path("conversations/<uuid:key>/hand-back/", views.hand_back, name="hand_back"),
    path(
        "login/",
        LoginView.as_view(template_name="console/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
]
