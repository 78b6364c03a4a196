"""Make a corpus searchable on every GPU or process there is.

`accelerate launch --multi_gpu --num_processes 4 scripts/build_index.py CORPUS` does what
`python -m memviz index CORPUS` does, with the same options and the same result; without GPUs too.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from memviz.cli import main

if __name__ == "__main__":
    sys.exit(main(["index", *sys.argv[1:]]))
