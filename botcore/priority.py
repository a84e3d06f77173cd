"""Who waits for whom on a busy machine: whatever answers a person at once comes before whatever computes."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

TRIES, PAUSE = 3, 0.11
"""The kernel takes one such change a tenth of a second from a user who is not root."""


def give_way(pid: int, niceness: int) -> None:
    """Let a process that leads its own session get the processor after others (0 to 19; 0 changes nothing).

    Linux shares the processor among sessions first (sched(7), "The autogroup feature"): niceness inside a session
    counts for nothing against another one. Where the feature is off, the process's own niceness does the same.
    Does what the machine allows and nothing where it allows nothing.
    """
    if not niceness:
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    for _ in range(TRIES):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
        except BlockingIOError:
            time.sleep(PAUSE)
        except OSError:
            return
        else:
            return
