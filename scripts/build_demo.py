"""Build the demo world: `python scripts/build_demo.py --scale cpu`.

Stages run in order; one whose result exists is skipped, a training that was cut off goes on from
its last checkpoint. `--only STAGE` runs one again. With `--assets DIR` the bundled demo stays as
it is; `MEMVIZ_DEMO=DIR` then makes memviz use the other.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def place() -> argparse.ArgumentParser:
    """The flag that says where the demo goes, obeyed at once: importing memviz reads it."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--assets", type=Path, help="where the demo goes")
    if assets := parser.parse_known_args()[0].assets:
        os.environ["MEMVIZ_DEMO"] = str(assets.resolve())
    return parser


def main() -> None:
    """Read the flags and run the stages."""
    where = place()
    from memviz.demo.scale import ASSETS, SCALES, Builder
    from memviz.demo.stages import STAGES, run
    from memviz.errors import MemvizError

    parser = argparse.ArgumentParser(description=__doc__, parents=[where])
    parser.add_argument("--scale", choices=SCALES, default="cpu", help="how much work to put in")
    parser.add_argument("--work", type=Path, help="where pools and checkpoints go")
    parser.add_argument("--only", choices=STAGES, action="append", help="stages to run again")
    asked = parser.parse_args()
    work = asked.work or ROOT / ".build" / asked.scale
    try:
        run(Builder(SCALES[asked.scale], ASSETS, work), asked.only)
    except MemvizError as error:
        sys.exit(f"build_demo: {error}")


if __name__ == "__main__":
    main()
