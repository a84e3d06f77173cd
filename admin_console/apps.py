from django.apps import AppConfig


class AdminConsoleConfig(AppConfig):
    name = "admin_console"
    default_auto_field = "django.db.models.BigAutoField"
