"""What happens to pictures on their way: does one still find its image, and is it called a copy?

`python scripts/benchmark.py cases --json`: per case the share of images of the bundled corpus that
are found first (`found`) and called "Copied" at the descriptor's own threshold (`copied`).
`unrelated_logos` are flat pictures that are in no corpus: both of its shares should be 0.
"""

import argparse
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from benchmarks.measure import machine
from memviz import studio
from memviz.retrieval.blank import blank

Change = Callable[[Image.Image], Image.Image]


def options(parser: argparse.ArgumentParser) -> None:
    """How many images."""
    parser.add_argument("--images", type=int, default=200, help="per case (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All cases."""
    eye = studio.eye("demo-10k", "demo")
    rows = np.random.default_rng(0).choice(len(eye.corpus), args.images, replace=False)
    ids = [eye.corpus.ids[row] for row in sorted(rows)]
    images, own = [eye.corpus.image(id) for id in ids], np.array(ids)[:, None]
    found = {name: shares(eye, [change(i) for i in images], own) for name, change in CASES.items()}
    four = [np.roll(ids, -k) for k in range(4)]
    found["collage"] = shares(eye, collages(images), np.stack(four, axis=1))
    found["unrelated_logos"] = shares(eye, logos(args.images), -np.ones_like(own))
    return {"cases": found, "images": args.images, "environment": machine()}


def shares(eye: studio.Eye, images: list[Image.Image], ids: np.ndarray) -> dict[str, float]:
    """Any of a row's ids found first, and called a copy; what is too empty is called nothing."""
    similarity, nearest = eye.index.search(eye.descriptor.embed(images), 1)
    judged = np.array([not blank(image) for image in images])
    copied = (similarity[:, 0] >= eye.thresholds.copied) & judged
    return {"found": float((nearest == ids).any(1).mean()), "copied": float(copied.mean())}


def cropped(image: Image.Image) -> Image.Image:
    """The middle 80 % in each direction."""
    return ImageOps.crop(image, border=image.width // 10)


def compressed(image: Image.Image) -> Image.Image:
    """JPEG at quality 30."""
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=30)
    return Image.open(buffer).convert("RGB")


def screenshot(image: Image.Image) -> Image.Image:
    """On a larger white page."""
    return ImageOps.expand(image, border=image.width // 4, fill="white")


def meme(image: Image.Image) -> Image.Image:
    """Two lines of white text on black outlines."""
    large = image.resize((256, 256))
    draw = ImageDraw.Draw(large)
    for y, text in ((8, "WHEN YOU COPY"), (216, "BUT SAY YOU DID NOT")):
        draw.text((128, y), text, "white", font_size=24, anchor="ma", stroke_width=2, stroke_fill=0)
    return large


CASES: dict[str, Change] = {
    "as_it_is": lambda image: image,
    "crop": cropped,
    "flip": ImageOps.mirror,
    "jpeg": compressed,
    "screenshot": screenshot,
    "meme": meme,
}


def collages(images: list[Image.Image]) -> list[Image.Image]:
    """Each beside three others."""
    made = []
    for i in range(len(images)):
        four = [images[(i + k) % len(images)] for k in range(4)]
        side = four[0].width
        whole = Image.new("RGB", (2 * side, 2 * side))
        for k, image in enumerate(four):
            whole.paste(image, (k % 2 * side, k // 2 * side))
        made.append(whole)
    return made


def logos(count: int) -> list[Image.Image]:
    """A disc or a square of one colour on another."""
    rng = np.random.default_rng(1)
    made = []
    for i in range(count):
        ground, ink = (tuple(map(int, rng.integers(0, 256, 3))) for _ in range(2))
        image = Image.new("RGB", (64, 64), ground)
        draw = ImageDraw.Draw(image)
        (draw.ellipse if i % 2 else draw.rectangle)((18, 18, 46, 46), fill=ink)
        made.append(image)
    return made


def lines(result: dict[str, Any]) -> str:
    """A case a line."""
    cases = result["cases"].items()
    return "\n".join(f"{n:<16} found {c['found']:.2f}  copied {c['copied']:.2f}" for n, c in cases)
