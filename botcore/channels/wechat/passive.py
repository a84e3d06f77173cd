"""Accounts that may not call WeChat's customer-service API speak in the answers to its own requests.

WeChat waits five seconds, hangs up and asks again, three times in all with the same message. A reply that is ready by
then is given to whichever try is open; the rest is kept until the customer asks for it.
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog
from django.db import InterfaceError, OperationalError

from botcore import held
from botcore.channels import database_threads
from botcore.channels.texts import texts_in

log = structlog.get_logger(__name__)

TRY_SECONDS = 4.5
"""How long a try may take, so that its answer still arrives."""
SILENT_SECONDS = 1.5
"""How much longer a try is left without an answer, so that WeChat hangs up and asks again."""
LAST_TRY_AFTER = 7.5
"""Seconds after the first try at which one that comes is the third: WeChat comes after 0, 5 and 10."""
LOOK_SECONDS = 0.25


async def words_for(account_key: str, event_keys: Sequence[str]) -> str:
    """The text to answer a delivery with, as soon as there is one; empty where none is wanted."""
    began = time.monotonic()
    look = await _look(account_key, event_keys)
    third = look.age.total_seconds() >= LAST_TRY_AFTER
    while look.payload is None and not look.over and time.monotonic() - began < TRY_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        look = await _look(account_key, event_keys)
    texts = texts_in(look.language or "zh")
    if look.payload is not None:
        return "\n\n".join([look.payload["text"]["content"], *([texts["more"]] if look.more else [])])
    if look.over:
        return ""
    if not third:
        await asyncio.sleep(SILENT_SECONDS)
    return texts["wait"]


async def _look(account_key: str, event_keys: Sequence[str]) -> held.Look:
    """What there is now; no thread is held between two looks. A database that is away may be back for the next."""
    try:
        return await database_threads.in_database_thread(held.look, account_key, event_keys)
    except (OperationalError, InterfaceError) as error:
        log.warning("no look at what is kept", error=type(error).__name__)
        return held.Look()
