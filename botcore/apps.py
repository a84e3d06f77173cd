from django.apps import AppConfig


class BotcoreConfig(AppConfig):
    name = "botcore"
    default_auto_field = "django.db.models.BigAutoField"
