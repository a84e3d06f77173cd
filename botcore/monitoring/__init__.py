"""Watching what customers ask, see and choose: whether the shop the bot was tuned for is still the shop it serves."""
