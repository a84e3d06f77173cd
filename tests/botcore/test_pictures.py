"""Pictures that strangers made are opened as what they are, or refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from botcore.channels.http import content_type_of
from botcore.pictures import CONTENT_TYPES, SIDE, PictureError, opened
from tests.pictured_shop import RED, painted


def written(picture: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG that unpacks to so many grey pixels, all zero."""
    rows = zlib.compress(b"\0" * (height * (width + 1)), 9)

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_the_usual_kinds_are_opened_as_rgb(kind):
    content = painted(RED, kind=kind)
    assert content_type_of(content) in CONTENT_TYPES
    picture = opened(content)
    assert (picture.mode, picture.size) == ("RGB", (48, 48))
    assert picture.getpixel((40, 40)) == pytest.approx(RED, abs=14)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "1", "I;16"])
def test_every_mode_of_colour_becomes_rgb(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert opened(written(Image.new(mode, (20, 10)), kind)).mode == "RGB"


def test_what_shines_through_is_white():
    assert opened(written(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "PNG")).getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(written(Image.new("RGB", (40, 20)), "JPEG", exif=exif)).size == (20, 40)


def test_large_pictures_are_made_small():
    assert max(opened(written(Image.new("RGB", (4000, 3000)), "JPEG")).size) <= SIDE


@pytest.mark.parametrize(("side", "why"), [(8_000, "more than 50000000 pixels"), (20_000, "DecompressionBombError")])
def test_a_bomb_is_refused_before_it_unpacks(side, why):
    bomb = png_of(side, side)
    assert len(bomb) < 500_000
    with pytest.raises(PictureError, match=why):
        opened(bomb)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"%PDF-1.4",
        b"\xff\xd8\xff" + b"\0" * 50,
        painted(RED)[:80],
        painted(RED, kind="JPEG")[:200],
        written(Image.new("RGB", (8, 8)), "TIFF"),
        written(Image.new("RGB", (8, 8)), "BMP"),
        written(Image.new("RGB", (8, 8)), "PDF"),
    ],
)
def test_what_is_no_picture_of_these_kinds_is_refused(content):
    with pytest.raises(PictureError):
        opened(content)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_pictures_are_opened_or_refused_and_nothing_else(data):
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))
    content = bytearray(painted(RED, kind=kind))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        assert np.asarray(opened(bytes(content))).shape[2] == 3
    except PictureError as error:
        assert "cannot be opened" in str(error) or "pixels" in str(error)


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"OggS" + bytes(60), "audio/ogg"),
        (b"ID3\x03" + bytes(60), "audio/mpeg"),
        (b"\xff\xfb\x90\x44" + bytes(60), "audio/mpeg"),
        (b"#!AMR\n" + bytes(60), "audio/amr"),
        (b"fLaC" + bytes(60), "audio/flac"),
        (b"RIFF\x24\0\0\0WAVEfmt " + bytes(60), "audio/wav"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0" + bytes(60), "audio/mp4"),
        (b"\0\0\0\x1cftypisom\0\0\0\0isommp42" + bytes(60), "audio/mp4"),
        (b"<html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_are(content, content_type):
    assert content_type_of(content) == content_type
