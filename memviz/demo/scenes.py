"""Captioned 64x64 scenes of emoji sprites: the images the demo model learns from.

A *plain* caption says what is there and on which colour ("a fox and a cactus on a blue
background"). A *title* names the things and a made-up product ("vintage fox poster with
cactus") and leaves colour, pattern and places open, as web captions do: so a model that
gets those right has copied them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIDE = 64
COLOURS = {
    "red": (214, 64, 60), "orange": (240, 148, 60), "yellow": (250, 222, 110),
    "green": (110, 178, 92), "teal": (70, 170, 170), "blue": (84, 132, 214),
    "purple": (146, 104, 196), "pink": (244, 166, 196), "brown": (150, 112, 84),
    "gray": (150, 154, 160), "white": (244, 244, 240), "black": (40, 42, 50),
}  # fmt: skip
PATTERNS = ("plain", "horizon", "sun", "stripes")
STYLES = ("vintage", "modern", "classic", "funny", "cute", "retro", "original", "limited")
PRODUCTS = ("poster", "print", "postcard", "shirt", "sticker", "wallpaper", "mug", "canvas")
# the two styles of caption as regular expressions
TITLE = rf"({'|'.join(STYLES)}) .+ ({'|'.join(PRODUCTS)}) with .+"
PLAIN = r"an? .+ on an? .+ background"
KINDS = {"title": ("titles", TITLE), "plain": ("plain captions", PLAIN)}  # by style: name, form


@dataclass(frozen=True)
class Sprite:
    """One sprite in a scene: its name, centre and size in pixels, angle in degrees."""

    name: str
    x: float
    y: float
    size: int
    angle: float
    mirrored: bool


@dataclass(frozen=True)
class Scene:
    """A caption and everything needed to draw its picture."""

    caption: str
    style: str  # "plain" or "title"
    pattern: str
    colours: tuple[str, str]
    sprites: tuple[Sprite, ...]


def names(folder: Path) -> list[str]:
    """What the vendored sprites are called, in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.png"))


@lru_cache
def sprites(folder: Path) -> dict[str, Image.Image]:
    """The vendored sprites by name, RGBA, in alphabetical order."""
    return {name: Image.open(folder / f"{name}.png").convert("RGBA") for name in names(folder)}


def a(word: str) -> str:
    """The word with its indefinite article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def title(style: str, first: str, product: str, second: str) -> str:
    """The title-like caption of two sprites."""
    return f"{style} {first} {product} with {second}"


def draw(scene: Scene, art: dict[str, Image.Image]) -> Image.Image:
    """The 64x64 RGB picture of a scene."""
    canvas = background(scene.pattern, *scene.colours)
    for sprite in scene.sprites:
        picture = turned(sprite, art[sprite.name])
        corner = round(sprite.x - picture.width / 2), round(sprite.y - picture.height / 2)
        canvas.paste(picture, corner, picture)
    return canvas


def turned(sprite: Sprite, picture: Image.Image) -> Image.Image:
    """The sprite's artwork mirrored, turned and scaled as the scene asks, RGBA."""
    if sprite.mirrored:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = picture.rotate(sprite.angle, Image.Resampling.BICUBIC)
    return picture.resize((sprite.size, sprite.size), Image.Resampling.LANCZOS)


@lru_cache
def stencil(pattern: str) -> Image.Image:
    """Where the second colour goes: a 64x64 mask, drawn four times as large for smooth edges."""
    mask = Image.new("L", (4 * SIDE, 4 * SIDE))
    brush = ImageDraw.Draw(mask)
    if pattern == "horizon":
        brush.rectangle((0, 176, 256, 256), fill=255)
    elif pattern == "sun":
        brush.ellipse((32, 32, 224, 224), fill=255)
    elif pattern == "stripes":
        for left in range(0, 256, 64):
            brush.rectangle((left, 0, left + 31, 256), fill=255)
    return mask.resize((SIDE, SIDE), Image.Resampling.BOX)


def background(pattern: str, first: str, second: str) -> Image.Image:
    """A 64x64 RGB background in two named colours (a plain one uses the first alone)."""
    canvas = Image.new("RGB", (SIDE, SIDE), COLOURS[first])
    canvas.paste(COLOURS[second], mask=stencil(pattern))
    return canvas


def random_scene(
    rng: np.random.Generator, names: list[str], taken: Iterable[str] = (), style: str | None = None
) -> Scene:
    """A scene whose caption is not in `taken`; half of them titles unless `style` says which."""
    while True:
        scene = one_scene(rng, names, style or ("plain", "title")[rng.integers(2)])
        if scene.caption not in taken:
            return scene


def one_scene(rng: np.random.Generator, names: list[str], style: str) -> Scene:
    """Draw caption, pattern, colours and places at random."""
    first, second = (str(n) for n in rng.choice(names, 2, replace=False))
    one, other = (str(c) for c in rng.choice(list(COLOURS), 2, replace=False))
    colours = one, other
    if style == "title":
        words = str(rng.choice(STYLES)), first, str(rng.choice(PRODUCTS)), second
        return Scene(
            title(*words), style, str(rng.choice(PATTERNS)), colours, pair(rng, first, second)
        )
    if rng.random() < 0.5:
        caption, placed = f"{a(first)} on {a(colours[0])} background", (single(rng, first),)
    else:
        caption = f"{a(first)} and {a(second)} on {a(colours[0])} background"
        placed = pair(rng, first, second)
    return Scene(caption, style, "plain", colours, placed)


def single(rng: np.random.Generator, name: str) -> Sprite:
    """One large sprite, wholly inside the picture."""
    size = int(rng.integers(36, 53))
    return placed(rng, name, size, (size / 2, SIDE - size / 2), (size / 2, SIDE - size / 2))


def pair(rng: np.random.Generator, first: str, second: str) -> tuple[Sprite, Sprite]:
    """Two sprites side by side or one above the other, in either order, never overlapping much."""
    near, far = (17, 22), (42, 47)
    along = [near, far] if rng.random() < 0.5 else [far, near]
    upright = rng.random() < 0.35
    sprites = []
    for name, span in zip((first, second), along, strict=True):
        size, across = int(rng.integers(28, 35)), (19, 45)
        ranges = (across, span) if upright else (span, across)
        sprites.append(placed(rng, name, size, *ranges))
    return tuple(sprites)


def placed(
    rng: np.random.Generator, name: str, size: int, x: tuple[float, float], y: tuple[float, float]
) -> Sprite:
    """A sprite at a random place in the ranges, turned by at most 20 degrees, mirrored or not."""
    angle = float(rng.uniform(-20, 20))
    return Sprite(
        name, float(rng.uniform(*x)), float(rng.uniform(*y)), size, angle, bool(rng.random() < 0.5)
    )


def stream(seed: int, art: dict[str, Image.Image], taken: Iterable[str] = ()) -> Iterator[tuple]:
    """Endless fresh (caption, uint8 picture (64, 64, 3)) pairs: the pretraining data."""
    rng, names = np.random.default_rng(seed), list(art)
    while True:
        scene = random_scene(rng, names, taken)
        yield scene.caption, np.asarray(draw(scene, art))
