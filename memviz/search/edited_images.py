"""Pictures as an auditor meets them: cropped, mirrored, framed, written on, in a collage.

`python scripts/benchmark.py cases --json` measures how many of them still find their image.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from memviz.data.corpus import Corpus
from memviz.data.formats.files import PictureBytes
from memviz.io.paths import NoCheckout, page

Images = Sequence[Image.Image]


@dataclass(frozen=True)
class Case:
    """What happened to a picture on its way."""

    title: str
    about: str
    needs: int  # training images one of them is made of
    make: Callable[[Images, int], Image.Image]  # of these, and a seed
    shown: int = 1  # pictures to show of it


def pictures(corpus: Corpus, name: str, seed: int) -> tuple[Corpus, list[int]]:
    """A case made of training images taken by chance, and the ids of these."""
    case = CASES[name]
    rows = np.random.default_rng(seed).choice(len(corpus), case.needs, replace=False)
    used = [corpus.ids[row] for row in rows]
    images = [corpus.image(id) for id in used]
    made = [png(case.make(images, seed + i)) for i in range(case.shown)]
    caption = corpus.caption(used[0]) if case.needs == 1 else ""
    names = [f"{name}-{i}.png" for i in range(case.shown)]
    return Corpus(case.title, PictureBytes(made, [caption] * case.shown, names)), used


def said(name: str, used: Sequence[int]) -> str:
    """What the case is made of, and how often such pictures were found when it was measured."""
    case = CASES[name]
    images = f"training image{'s' * (len(used) > 1)} {', '.join(f'#{id}' for id in used)}"
    made = f"{case.about}, made of {images}." if used else f"{case.about}, in no training set."
    try:
        told = json.loads(page("cases.json").read_text("utf-8"))
    except NoCheckout:
        return made
    found = told["cases"][name]
    first = f"{found['found']:.0%} found their image first, " if used else ""
    return f"{made} Of {told['images']} such pictures {first}{found['copied']:.0%} were “Copied”."


def png(image: Image.Image) -> bytes:
    """Without loss."""
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def cropped(images: Images, _: int) -> Image.Image:
    """The middle 80 % in each direction."""
    return ImageOps.crop(images[0], border=images[0].width // 10)


def compressed(images: Images, _: int) -> Image.Image:
    """JPEG at quality 30."""
    buffer = io.BytesIO()
    images[0].save(buffer, "jpeg", quality=30)
    return Image.open(buffer).convert("RGB")


def screenshot(images: Images, _: int) -> Image.Image:
    """On a larger white page."""
    return ImageOps.expand(images[0], border=images[0].width // 4, fill="white")


def meme(images: Images, _: int) -> Image.Image:
    """Two lines of white text on black outlines."""
    large = images[0].resize((256, 256))
    draw = ImageDraw.Draw(large)
    for y, text in ((8, "WHEN YOU COPY"), (216, "BUT SAY YOU DID NOT")):
        draw.text((128, y), text, "white", font_size=24, anchor="ma", stroke_width=2, stroke_fill=0)
    return large


def collage(images: Images, _: int) -> Image.Image:
    """Four in a square."""
    width, height = images[0].size
    whole = Image.new("RGB", (2 * width, 2 * height))
    for k, image in enumerate(images):
        whole.paste(image.resize((width, height)), (k % 2 * width, k // 2 * height))
    return whole


def logo(_: Images, seed: int) -> Image.Image:
    """A disc or a square of one colour on another."""
    colours = np.random.default_rng(seed).integers(0, 256, (2, 3)).tolist()
    image = Image.new("RGB", (64, 64), tuple(colours[0]))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if seed % 2 else draw.rectangle)((18, 18, 46, 46), fill=tuple(colours[1]))
    return image


CASES = {
    "as_it_is": Case("Unchanged", "Unchanged", 1, lambda images, _: images[0]),
    "crop": Case("Crop", "The middle 80 % in each direction", 1, cropped),
    "flip": Case("Mirrored", "Left and right swapped", 1, lambda i, _: ImageOps.mirror(i[0])),
    "jpeg": Case("JPEG", "JPEG at quality 30", 1, compressed),
    "screenshot": Case("Screenshot", "A screenshot on a larger white page", 1, screenshot),
    "meme": Case("Meme", "Two lines of text over the picture", 1, meme),
    "collage": Case("Collage", "Four pictures in one", 4, collage),
    "unrelated_logos": Case("Two flat logos", "Flat logos of chance colours", 0, logo, shown=2),
}
