"""Fine-tune with IET-AGC: `accelerate launch scripts/train_iet_agc.py --out DIR --corpus DIR`.

The same as `python -m memviz train`, as a file that `accelerate launch` can start.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from memviz.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
