"""Hours and seconds at 10 million, 400 million and 5 billion images: arithmetic, not a measurement.

`python scripts/benchmark.py scale` prints the table of docs/scale.md from what docs/retrieval.json
measured at a million vectors: `build_seconds.lists` per row and list, `milliseconds_per_query` of
the lists per byte of codes that a query reads, and of exact search per row.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from memviz.retrieval.index import engines

MEASURED = Path(__file__).parents[2] / "docs/retrieval.json"
IMAGES = (10_000_000, 400_000_000, 5_000_000_000)
RATE = 1_000  # images embedded per second, by all processes together
PART = 64  # bytes of a product quantiser's code, as `engines.recipe` cuts 512 dimensions
HEAD = (
    "images",
    "recipe",
    f"embedding, at {RATE:,} a second",
    "lists, at most",
    "background",
    "a query alone",
    "one of 200 together",
    "a query alone, exact",
)


def options(parser: argparse.ArgumentParser) -> None:
    """Where the constants stand."""
    parser.add_argument("--measured", type=Path, default=MEASURED, metavar="FILE")


def measured(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Each size."""
    told = json.loads(args.measured.read_text())
    return [costs(told, images) for images in IMAGES]


def costs(told: dict[str, Any], images: int) -> dict[str, Any]:
    """Hours to make and milliseconds to ask an index of this many images on that machine."""
    rows, dims = told["asked"]["rows"], told["asked"]["dims"]
    made = told["build_seconds"]["lists"] / (rows * engines.lists(rows))  # s per row and list
    read = codes(rows, told["recipe"]["probes"]) * dims  # bytes: one per dimension
    here = codes(images, engines.probes(images)) * (dims if images <= engines.SCALAR else PART)
    alone, together = (told["milliseconds_per_query"][k] for k in ("one_by_one", "together"))
    many = together["lists"] * here / read
    return {
        "images": images,
        "recipe": engines.recipe(images, dims),
        "embedding_hours": images / RATE / 3600,
        "lists_hours": made * images * engines.lists(images) / 3600,
        "background_hours": images * many / 1000 / 3600,  # each image is looked up once
        "alone_ms": alone["lists"] * here / read,
        "together_ms": many,
        "exact_ms": alone["exact"] * images / rows,
    }


def codes(rows: int, probes: int) -> float:
    """Rows that stand in the lists looked into."""
    return rows * probes / engines.lists(rows)


def lines(result: list[dict[str, Any]]) -> str:
    """The table of the page."""
    cells = [HEAD, ["---"] * len(HEAD), *map(row, result)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def row(one: dict[str, Any]) -> list[str]:
    """A size, in words."""
    hours = [f"{figure(one[f'{name}_hours'])} h" for name in ("embedding", "lists", "background")]
    seconds = [f"{figure(one[name] / 1000)} s" for name in ("alone_ms", "together_ms", "exact_ms")]
    return [f"{one['images']:,}", f"`{one['recipe']}`", *hours, *seconds]


def figure(value: float) -> str:
    """Two digits of what is small, none behind the point of what is large."""
    return f"{value:.2g}" if value < 10 else f"{float(f'{value:.3g}'):,.0f}"
