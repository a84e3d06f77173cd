"""Pictures that strangers made: opened where they are what they seem, refused where not.

Customers send them, and a shop's feed names them by address; neither is trusted.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
CONTENT_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
MOST_PIXELS = 50_000_000
"""More than any telephone's picture that a platform passes on; as RGB 150 MB. A small file may unpack to far more."""
SIDE = 1024
"""Pixels that an opened picture is at most wide and high; encoders look at fewer."""


class PictureError(ValueError):
    """This is no picture that we open; the message says why and holds nothing of the file."""


def opened(content: bytes) -> Image.Image:
    """The picture (of a moving one the first) as RGB, upright, on white, within ``SIDE``. Raises ``PictureError``."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise PictureError(f"more than {MOST_PIXELS} pixels")
            picture.draft("RGB", (SIDE, SIDE))  # a JPEG is unpacked no larger than needed
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((SIDE, SIDE))
            return _on_white(upright)
    except PictureError:
        raise
    except Exception as error:  # decoders fail in every way on what others made
        raise PictureError(f"cannot be opened ({type(error).__name__})") from None


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
