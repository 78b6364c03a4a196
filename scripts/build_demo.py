"""Build the demo world: `python scripts/build_demo.py --scale cpu`.

Stages run in order; one whose result exists is skipped, a training that was cut off goes on from
its last checkpoint. `--only STAGE` runs one again.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from memviz.demo.build import STAGES, run
from memviz.demo.builder import ASSETS, SCALES, Builder


def main() -> None:
    """Read the flags and run the stages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="cpu", help="how much work to put in")
    parser.add_argument("--assets", type=Path, default=ASSETS, help="where the demo goes")
    parser.add_argument("--work", type=Path, help="where pools and checkpoints go")
    parser.add_argument("--only", choices=STAGES, action="append", help="stages to run again")
    asked = parser.parse_args()
    work = asked.work or ASSETS.parents[1] / ".build" / asked.scale
    try:
        run(Builder(SCALES[asked.scale], asked.assets, work), asked.only)
    except ValueError as error:
        sys.exit(f"build_demo: {error}")


if __name__ == "__main__":
    main()
