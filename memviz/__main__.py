"""`python -m memviz VERB`."""

import sys

from memviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
