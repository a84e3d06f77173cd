"""``manage.py reset_second_factor``: somebody has lost both phone and recovery codes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from botcore import second_factor


class Command(BaseCommand):
    help = "Take a person's second factor away: the password alone lets them in, until they set up another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = get_user_model().objects.filter(username=name).first()
        if user is None or not second_factor.has(user):
            raise CommandError(f"there is nobody called {name} who has a second factor")
        second_factor.disable(user)
        user.sign_ins.all().delete()
        self.stdout.write(f"{name} logs in with the password alone; all open sessions are ended")
