"""Starts production's processes with fake models: ``python -m tests.journeys.launch WHAT [ARGUMENT...]``.

``prepare API`` makes database, shop and a Telegram account whose Bot API is at API; ``say KEY TEXT`` takes a message
in; ``celery`` is Celery's command line, ``up`` is ``manage.py up``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.journeys.settings")

CELERY = ["-m", "celery", "--app", "botcore.celery"]
WRITING_SECONDS = 0.25
DELIVERY_LEASE = timedelta(seconds=5)
CONTACT = "4711"


def prepare(api: str) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from botcore.channels.telegram import Telegram
    from botcore.embedded_postgres import borrowed
    from botcore.management.commands.connect import register
    from tests.journeys.small_shop import open_shop

    with borrowed(settings.EMBEDDED_POSTGRES):
        call_command("migrate", verbosity=0)
        config = Telegram.prepare_config({"token": "1:A", "api_base_url": api})
        account = register(open_shop(), Telegram, config)
        sys.stdout.write(json.dumps({"path": f"/webhooks/telegram/{account.key}", "secret": config["secret"]}))


def say(key: str, text: str) -> None:
    from botcore import intake
    from botcore.channels.values import ReceivedEvent
    from botcore.models import ChannelAccount

    use_own_queues()
    intake.accept(ChannelAccount.objects.get(), [ReceivedEvent(key, "text", CONTACT, text)])


def celery(*argv: str) -> None:
    from celery.__main__ import main

    from botcore import delivery

    use_own_queues()
    use_fake_models()
    delivery.LEASE = DELIVERY_LEASE
    sys.argv = ["celery", "--app", "botcore.celery", *argv]
    main()


def up(*argv: str) -> None:
    from botcore.management.commands import up as command
    from manage import main

    children = command.children

    def with_fake_models(host: str, port: int) -> list[command.Child]:
        started = children(host, port)
        for child in started:
            child.command = _relaunched(child.command)
        return started

    command.children = with_fake_models
    command._build_model = lambda supervisor: None
    sys.argv = ["manage.py", "up", *argv]
    main()


def _relaunched(argv: Sequence[str]) -> list[str]:
    """The same command by way of this module, where it is Celery's."""
    for at in range(len(argv)):
        if list(argv[at : at + len(CELERY)]) == CELERY:
            return [*argv[:at], "-m", "tests.journeys.launch", "celery", *argv[at + len(CELERY) :]]
    return list(argv)


def use_fake_models() -> None:
    from botcore.dialogue.ports import Ports
    from tests.fakes import FakeGenerator, HashEncoder
    from workers import serving
    from workers.engine import load_reader

    ports = Ports(HashEncoder(), load_reader(), FakeGenerator(seconds=WRITING_SECONDS))
    serving.ports = lambda: ports
    serving.writing_by = lambda version: nullcontext(ports)
    serving.encoder = lambda: ports.encoder


def use_own_queues() -> None:
    """On a broker that others use as well: queues and exchange with a prefix, under the names the code knows."""
    from kombu import Exchange, Queue

    from botcore.celery import app

    if prefix := os.environ.get("JOURNEY_QUEUES"):
        exchange = Exchange(prefix, "direct")
        app.conf.task_queues = [
            Queue(f"{prefix}.{name}", exchange, routing_key=name, alias=name)
            for name in ("reply", "io", "index", "train")
        ]


if __name__ == "__main__":
    import django

    django.setup()
    {"prepare": prepare, "say": say, "celery": celery, "up": up}[sys.argv[1]](*sys.argv[2:])
