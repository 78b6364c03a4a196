"""`python -m memviz.jobs FOLDER`: see one job through. `memviz.jobs.start` calls it."""

import sys
from pathlib import Path

from memviz.jobs.supervisor import supervise

if __name__ == "__main__":
    supervise(Path(sys.argv[1]))
