"""Build the demo world: `python scripts/build_demo.py --scale cpu`.

Stages run in order; one whose result exists is skipped, a training that was cut off goes on from
its last checkpoint. `--only STAGE` runs one again. With `--assets DIR` the bundled demo stays as
it is; `MEMVIZ_DEMO=DIR` then makes memviz use the other.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from memviz.demo.scale import SCALES, Builder
from memviz.demo.stages import STAGES, run
from memviz.errors import MemvizError
from memviz.io.paths import demo

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the flags and run the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="cpu", help="how much work to put in")
    parser.add_argument("--assets", type=Path, help="where the demo goes")
    parser.add_argument("--work", type=Path, help="where pools and checkpoints go")
    parser.add_argument("--only", choices=STAGES, action="append", help="stages to run again")
    args = parser.parse_args()
    if args.assets:
        os.environ["MEMVIZ_DEMO"] = str(args.assets.resolve())
    work = args.work or ROOT / ".build" / args.scale
    try:
        run(Builder(SCALES[args.scale], demo(), work), args.only)
    except MemvizError as error:
        sys.exit(f"build_demo: {error}")


if __name__ == "__main__":
    main()
