"""What happens to pictures on their way: does one still find its image, and is it called a copy?

`python scripts/benchmark.py cases --json`: per case of `memviz/search/edited_images.py` the share
of images of the bundled corpus that are found first (`found`) and called "Copied" at the
descriptor's own threshold (`copied`). `unrelated_logos` are flat pictures that are in no corpus,
so both of its shares should be 0; `two_logos` is the share of pairs of them that would be taken
for one.
"""

import argparse
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.measure import machine
from memviz import resources
from memviz.retrieval import copy_detector
from memviz.retrieval.blank_images import blank
from memviz.search.edited_images import CASES


def options(parser: argparse.ArgumentParser) -> None:
    """How many images."""
    parser.add_argument("--images", type=int, default=200, help="per case (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All cases."""
    eye, count = resources.eye("demo-10k", "demo"), args.images
    rows = np.random.default_rng(0).choice(len(eye.corpus), count, replace=False)
    ids = [eye.corpus.ids[row] for row in sorted(rows)]
    images, found = [eye.corpus.image(id) for id in ids], {}
    for name, case in CASES.items():
        used = [[(i + k) % count for k in range(case.needs)] for i in range(count)]
        made = [case.make([images[k] for k in rows], i) for i, rows in enumerate(used)]
        wanted = np.array([[ids[k] for k in rows] or [-1] for rows in used])
        found[name] = shares(eye, made, wanted)
    found["two_logos"] = {"copied": alike(eye, made)}  # the logos come last
    return {"cases": found, "images": count, "environment": machine()}


def shares(eye: copy_detector.Eye, images: list[Image.Image], ids: np.ndarray) -> dict[str, float]:
    """Any of a row's ids found first, and called a copy; what is too empty is called nothing."""
    similarity, nearest = eye.index.search(eye.descriptor.embed(images), 1)
    judged = np.array([not blank(image) for image in images])
    copied = (similarity[:, 0] >= eye.thresholds.copied) & judged
    return {"found": float((nearest == ids).any(1).mean()), "copied": float(copied.mean())}


def alike(eye: copy_detector.Eye, images: list[Image.Image]) -> float:
    """The share of pairs at or above the threshold for a copy."""
    vectors = eye.descriptor.embed(images)
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float((pairs >= eye.thresholds.copied).mean())


def lines(result: dict[str, Any]) -> str:
    """A case a line."""
    cases = result["cases"].items()
    return "\n".join(
        f"{name:<16} found {case.get('found', float('nan')):.2f}  copied {case['copied']:.2f}"
        for name, case in cases
    )
