"""What a new installation gets by itself: logins, the demo shop with its web chat, and a word on where everything is."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model
from rich.progress import Progress, TaskID

from botcore.channels.webchat.channel import ensure_webchat
from botcore.models import ShopMember
from botcore.roles import Role
from catalog.demo.load import load_demo
from catalog.models import Shop

LOGINS = "logins.json"
ROLES = {"staff": True, "merchant": False}


def make_logins() -> dict[str, str]:
    """The passwords of this installation's first users, made once and kept in ``var/`` for its owner alone."""
    path = settings.VAR_DIR / LOGINS
    logins: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    user_model = get_user_model()
    for name, staff in ROLES.items():
        if user_model.objects.filter(username=name).exists():
            continue
        logins[name] = secrets.token_urlsafe(9)
        user_model.objects.create_user(name, password=logins[name], is_staff=staff, is_superuser=staff)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(logins, file, indent=2)
    return logins


def make_demo_shop(bars: Progress) -> Shop | None:
    """The demo shop where there is no shop at all; the shop that the chat page is for."""
    if not Shop.objects.exists():
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        load_demo(settings.MEDIA_ROOT, progress)
    shop = Shop.objects.filter(slug="demo").first() or Shop.objects.order_by("pk").first()
    if shop:
        ensure_webchat(shop)
        merchant = get_user_model().objects.filter(username="merchant").first()
        if merchant and not merchant.memberships.exists():
            ShopMember.objects.create(user=merchant, shop=shop, role=Role.OWNER)
    return shop


def announce(
    say: Callable[[str], None], public_url: str, logins: dict[str, str], shop: Shop | None, seconds: float
) -> None:
    """Tell the operator where to go."""
    say("")
    say(f"Daogou is up after {seconds:.0f} s.")
    if shop:
        say(f"  chat      {public_url}/chat/{shop.slug}/")
    say(f"  console   {public_url}/console/")
    for name, password in logins.items():
        say(f"  login     {name} / {password}   (kept in {settings.VAR_DIR / LOGINS})")
    say("Ctrl-C stops everything.")
    say("")
