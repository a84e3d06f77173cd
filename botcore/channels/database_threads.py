"""A few threads that keep their database connections, for the views that the world asks.

Under ASGI every request gets a thread of its own, and a connection belongs to its thread: a synchronous view makes
PostgreSQL start a process for every request, and a crowd exhausts it. What customers and platforms ask comes here
instead: a crowd waits its turn, for milliseconds, and a stream holds nothing between two reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import close_old_connections

Result = TypeVar("Result")
THREADS = ThreadPoolExecutor(8, thread_name_prefix="database")


async def in_database_thread(call: Callable[..., Result], *args: Any) -> Result:
    """``call(*args)`` in one of the threads, on a connection that is known to work."""

    def fresh() -> Result:
        close_old_connections()
        return call(*args)

    return await asyncio.get_running_loop().run_in_executor(THREADS, fresh)
