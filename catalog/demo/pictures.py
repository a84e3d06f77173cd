"""Draws the shop's pictures, one per family and color, from the strokes in ``data/pictures.yaml``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

from catalog.demo.assortment import picture_subjects
from catalog.demo.content import paint, read
from catalog.demo.products import image_path

SIZE = 512
OVERSAMPLING = 2
UNIT = SIZE * OVERSAMPLING / 100
Color = tuple[int, int, int]
Points = list[tuple[float, float]]

FIXED_TONES = {
    "white": "#fbfaf7", "ink": "#3c4047", "steel": "#cdd2d7", "steel-dark": "#98a0a8", "glass": "#dce8ec",
    "gold": "#cfa75f", "wood": "#b98250", "crumb": "#e9cfa4", "coffee": "#5b4031", "mist": "#e3eef3",
    "leaf": "#7fae82", "sun": "#fff3c9",
}  # fmt: skip


def draw_pictures(media_root: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Writes every picture below ``media_root`` that is not there yet; how many there are."""
    subjects = picture_subjects()
    (media_root / "demo").mkdir(parents=True, exist_ok=True)
    for done, (family, color) in enumerate(subjects, start=1):
        target = media_root / image_path(family, color)
        if not target.exists():
            draw(family, paint(color)).save(target, compress_level=4)
        if progress:
            progress(done, len(subjects))
    return len(subjects)


def draw(family: str, color: str) -> Image.Image:
    """The family's drawing in ``color`` ("#rrggbb") on a soft ground, RGB of 512 x 512."""
    drawings = read("pictures")
    strokes = drawings["book"] + drawings[family] if family in read("books")["genres"] else drawings[family]
    tones = _tones(_rgb(color))
    side = SIZE * OVERSAMPLING
    layer = Image.new("RGBA", (side, side), (*tones["base"], 0))
    pen = ImageDraw.Draw(layer)
    for shape, tone, size, coordinates in strokes:
        _stroke(pen, shape, tones[tone], size, coordinates)
    layer = layer.reduce(OVERSAMPLING)
    ground = _ground(tones)
    ground.paste(tones["shadow"], mask=_shadow(layer.getchannel("A")))
    ground.paste(layer, mask=layer)
    return ground


def _tones(base: Color) -> dict[str, Color]:
    """Shades of one paint. Very dark paints are shaded lighter, or their details would drown."""
    light = sum(base) / 765
    away = (255, 255, 255) if light < 0.36 else (30, 28, 40)
    ground = _mix(base, (243, 239, 232), 0.78) if light < 0.8 else (214, 207, 194)
    tones = {name: _rgb(value) for name, value in FIXED_TONES.items()}
    return tones | {
        "base": base,
        "dark": _mix(base, away, 0.13),
        "deep": _mix(base, away, 0.3),
        "light": _mix(base, (255, 255, 255), 0.42),
        "pale": _mix(base, (255, 250, 240), 0.82),
        "ground": ground,
        "shadow": _mix(ground, (40, 36, 50), 0.55),
    }


def _rgb(color: str) -> Color:
    red, green, blue, *_ = ImageColor.getrgb(color)
    return red, green, blue


def _mix(one: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _ground(tones: dict[str, Color]) -> Image.Image:
    ground = Image.new("RGB", (SIZE, SIZE), tones["ground"])
    ground.paste((255, 254, 250), mask=_halo())
    return ground


@cache
def _halo() -> Image.Image:
    halo = Image.new("L", (SIZE, SIZE), 0)
    ImageDraw.Draw(halo).ellipse([SIZE * 0.06, SIZE * 0.06, SIZE * 0.94, SIZE * 0.94], fill=110)
    return halo.filter(ImageFilter.GaussianBlur(1))


def _shadow(silhouette: Image.Image) -> Image.Image:
    """Blurred at an eighth of the size: nobody sees the difference and it is far quicker."""
    small = silhouette.resize((SIZE // 8, SIZE // 8)).filter(ImageFilter.GaussianBlur(1.4))
    return ImageChops.offset(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC), 5, 11).point(
        lambda alpha: alpha * 0.42
    )


def _stroke(pen: ImageDraw.ImageDraw, shape: str, tone: Color, size: float, coordinates: list[float]) -> None:
    points = [(x, y) for x, y in zip(coordinates[::2], coordinates[1::2], strict=True)]
    both, _, kind = shape.rpartition("-")
    if both:
        mirrored = [(100 - x, y) for x, y in points]
        _plain(pen, kind, tone, size, _box(mirrored) if kind in {"rect", "oval"} else mirrored)
    if kind == "half":
        kind, points = "poly", points + [(100 - x, y) for x, y in reversed(points)]
    _plain(pen, kind, tone, size, points)


def _box(points: Points) -> Points:
    (left, top), (right, bottom) = points
    return [(min(left, right), top), (max(left, right), bottom)]


def _plain(pen: ImageDraw.ImageDraw, kind: str, tone: Color, size: float, points: Points) -> None:
    placed = [(x * UNIT, y * UNIT) for x, y in points]
    match kind:
        case "poly":
            pen.polygon(_rounded(placed, size * UNIT), fill=tone)
        case "rect":
            pen.rounded_rectangle([*placed[0], *placed[1]], size * UNIT, fill=tone)
        case "oval":
            pen.ellipse([*placed[0], *placed[1]], fill=tone)
        case "line":
            width = size * UNIT
            pen.line(placed, fill=tone, width=round(width), joint="curve")
            for x, y in (placed[0], placed[-1]):
                pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=tone)
        case "arc":
            pen.arc([*placed[0], *placed[1]], *points[2], fill=tone, width=round(size * UNIT))
        case _:
            raise ValueError(f"pictures.yaml draws {kind!r}: use poly, half, rect, oval, line or arc")


def _rounded(corners: Points, radius: float) -> Points:
    """The polygon with each corner replaced by a quadratic curve that starts ``radius`` before it."""
    plane = [complex(x, y) for x, y in corners]
    outline = []
    for index, corner in enumerate(plane):
        start = _towards(corner, plane[index - 1], radius)
        end = _towards(corner, plane[(index + 1) % len(plane)], radius)
        for t in (step / 8 for step in range(9)):
            point = (1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end
            outline.append((point.real, point.imag))
    return outline


def _towards(corner: complex, other: complex, radius: float) -> complex:
    length = abs(other - corner)
    return corner + (other - corner) * min(radius / length, 0.5) if length else corner
