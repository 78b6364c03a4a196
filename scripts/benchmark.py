"""Measure a part of memviz: `python scripts/benchmark.py [PART] --json`; without PART, compare.

A part is a file of `scripts/benchmarks` with `options(parser)`, `measured(args)`, `lines(result)`.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PARTS = {
    "compare": "one batch for all methods and seeds, against separate loops",
    "cases": "crops, flips, memes, collages: what still finds its image",
    "fast": "generate() without signals, against the bare loop over the UNet",
    "preview": "x0 estimates by the linear map, against the model's own autoencoder",
    "real": "Stable Diffusion at full size: shares, memory, FLOPs, against stock pipelines",
    "retrieval": "lists against exact search, a search against the whole matrix, memory",
    "scale": "what the figures of retrieval mean for 10 million to 5 billion images",
    "sweep": "ten transition points with shared evaluations, against ten runs",
    "training": "the loss gate, against none and against a loop over samples",
}


def main() -> None:
    """Measure and print."""
    given = sys.argv[1:]
    name, rest = (given[0], given[1:]) if given and given[0] in PARTS else ("compare", given)
    part = import_module(f"benchmarks.{name}")
    listed = "\n".join(f"  {key:<10} {about}" for key, about in PARTS.items())
    parser = argparse.ArgumentParser(
        usage="%(prog)s [PART] [options]",
        description=f"{part.__doc__}\nParts:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    part.options(parser)
    args = parser.parse_args(rest)
    result = part.measured(args)
    print(json.dumps(result, indent=1) if args.json else part.lines(result))


if __name__ == "__main__":
    main()
