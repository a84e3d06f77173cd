"""Production's settings with short waits: what a killed process held is taken up again in seconds."""

from botcore.settings import *  # noqa: F403

TURN_LEASE_SECONDS = 5
SWEEP_SECONDS = 1
