"""One line a log entry, readable and coloured on a terminal; ``manage.py up`` prefixes it with the process's name."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import structlog

QUIET = (
    "bitsandbytes",
    "httpx",
    "httpcore",
    "axes",
    "django.utils.autoreload",
    "sentence_transformers",
    "uvicorn.access",
)


def configure(config: dict[str, Any]) -> None:
    """Django's ``LOGGING_CONFIG`` hook. ``config`` holds the level of our own loggers.

    Tracebacks show no local variables: those hold customers' words and tokens.
    ``DAOGOU_COLOUR`` is set by ``manage.py up``, whose children write into pipes.
    """
    colours = sys.stderr.isatty() or os.environ.get("DAOGOU_COLOUR") == "1"
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.dev.ConsoleRenderer(
                colors=colours, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        foreign_pre_chain=shared,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("catalog", "botcore", "workers", "admin_console"):
        logging.getLogger(name).setLevel(config["level"])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
