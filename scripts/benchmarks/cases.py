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
from memviz.retrieval.blank_images import blank
from memviz.retrieval.copy_detector import CopyDetector
from memviz.search.edited_images import CASES


def options(parser: argparse.ArgumentParser) -> None:
    """How many images."""
    parser.add_argument("--images", type=int, default=200, help="per case (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All cases."""
    detector, count = resources.load_detector("demo-10k", "demo"), args.images
    rows = np.random.default_rng(0).choice(len(detector.corpus), count, replace=False)
    ids = [detector.corpus.ids[row] for row in sorted(rows)]
    images, found = [detector.corpus.image(id) for id in ids], {}
    made: list[Image.Image] = []
    for name, case in CASES.items():
        used = [[(i + k) % count for k in range(case.needs)] for i in range(count)]
        made = [case.make([images[k] for k in rows], i) for i, rows in enumerate(used)]
        wanted = np.array([[ids[k] for k in rows] or [-1] for rows in used])
        found[name] = shares(detector, made, wanted)
    found["two_logos"] = {"copied": alike(detector, made)}  # the logos come last
    return {"cases": found, "images": count, "environment": machine()}


def shares(detector: CopyDetector, images: list[Image.Image], ids: np.ndarray) -> dict[str, float]:
    """Any of a row's ids found first, and called a copy; what is too empty is called nothing."""
    found = detector.match(images, 1)
    nearest = np.array([[matches[0].id] for matches in found])
    kinds = [detector.judge(m, blank(image)).kind for m, image in zip(found, images, strict=True)]
    copied = np.mean([kind == "copied" for kind in kinds])
    return {"found": float((nearest == ids).any(1).mean()), "copied": float(copied)}


def alike(detector: CopyDetector, images: list[Image.Image]) -> float:
    """The share of pairs at or above the threshold for a copy."""
    vectors = detector.descriptor.embed(images)
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float((pairs >= detector.thresholds.copied).mean())


def lines(result: dict[str, Any]) -> str:
    """A case a line."""
    cases = result["cases"].items()
    return "\n".join(
        f"{name:<16} found {case.get('found', float('nan')):.2f}  copied {case['copied']:.2f}"
        for name, case in cases
    )
