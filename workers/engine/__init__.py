"""The 8-bit generator and what else reads, sees and hears behind ``botcore.dialogue.ports``.

Importing this package loads no model code; ``load_generator`` and its like do, once a process.
"""

from workers.engine.registry import (
    close_generators,
    load_discriminator,
    load_encoder,
    load_generator,
    load_image_encoder,
    load_reader,
    load_speech_recogniser,
)

__all__ = [
    "close_generators",
    "load_discriminator",
    "load_encoder",
    "load_generator",
    "load_image_encoder",
    "load_reader",
    "load_speech_recogniser",
]
