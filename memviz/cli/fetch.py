"""`python -m memviz fetch PRESET`: the descriptor weights that may not lie in a repository."""

import argparse
import sys
from typing import Any

from memviz.cli.command import Verb


def options(sub: argparse.ArgumentParser) -> None:
    """Which weights, and from where."""
    sub.add_argument("preset", help="as sscd_disc_mixup")
    sub.add_argument("--from", dest="source", metavar="PLACE", help="another URL, or a file here")
    sub.add_argument("--trust", action="store_true", help="keep it though its checksum is unknown")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Fetch, check, put in place."""
    from tqdm import tqdm

    from memviz.io.hashing import file_hash
    from memviz.retrieval.descriptors import presets, weights

    preset = presets.find(args.preset)
    scale = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    with tqdm(desc=preset.checkpoint, file=sys.stderr, **scale) as bar:
        for done, total in weights.fetch(preset, args.source, args.trust):
            bar.total = total
            bar.update(done - bar.n)
    file = weights.place(preset)
    return {"preset": preset.name, "file": str(file), "sha256": file_hash(file)}


def as_table(result: dict[str, Any]) -> str:
    """Where it is, and what makes it quicker."""
    return (
        f"{result['preset']}: {result['file']}\nSHA-256 {result['sha256']}\n"
        f"`python -m memviz export-descriptor {result['preset']}` makes it quicker without a GPU."
    )


VERB = Verb(run, as_table, options)
