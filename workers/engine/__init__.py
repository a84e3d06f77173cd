"""The 8-bit generator, the sentence encoder and the reader behind ``botcore.dialogue.ports``.

Importing this package loads no model code; ``load_generator``, ``load_encoder`` and ``load_reader`` do, once a process.
"""

from workers.engine.registry import close_generators, load_encoder, load_generator, load_reader

__all__ = ["close_generators", "load_encoder", "load_generator", "load_reader"]
