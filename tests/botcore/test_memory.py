"""What serves is not looked at by the garbage collector again."""

import gc
import subprocess
import sys

from botcore.environment import PROJECT


def test_the_web_process_begins_with_all_that_it_serves_from_kept():
    asked = "import gc, sys, botcore.asgi; print(gc.get_freeze_count(), 'admin_console.views.review' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=PROJECT, check=True).stdout
    kept, imported = told.splitlines()[-1].split()
    assert int(kept) > 50_000 and imported == "True"


def test_what_is_made_later_is_collected():
    from botcore.memory import keep_what_is_loaded

    keep_what_is_loaded()
    before = gc.get_freeze_count()
    circle: list[object] = []
    circle.append(circle)
    del circle
    assert gc.collect() >= 1 and gc.get_freeze_count() <= before
    gc.unfreeze()
