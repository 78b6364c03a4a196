"""Make a corpus searchable on every GPU or process there is.

`accelerate launch --num_processes 4 scripts/build_index.py CORPUS --preset sscd_disc_mixup` does
what `python -m memviz index` does, with the same options and the same result.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from memviz.cli import main

if __name__ == "__main__":
    sys.exit(main(["index", *sys.argv[1:]]))
