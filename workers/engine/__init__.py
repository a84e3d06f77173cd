"""The 8-bit generator and the sentence encoder behind ``botcore.dialogue.ports``.

Importing this package loads no model code; ``load_generator`` and ``load_encoder`` do, once a process.
"""

from workers.engine.registry import close_generators, load_encoder, load_generator

__all__ = ["close_generators", "load_encoder", "load_generator"]
