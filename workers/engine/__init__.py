"""The 8-bit generator, the sentence encoder, the reader and the discriminator behind ``botcore.dialogue.ports``.

Importing this package loads no model code; ``load_generator`` and its like do, once a process.
"""

from workers.engine.registry import close_generators, load_discriminator, load_encoder, load_generator, load_reader

__all__ = ["close_generators", "load_discriminator", "load_encoder", "load_generator", "load_reader"]
