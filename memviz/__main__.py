"""`python -m memviz VERB`."""

import signal
import sys
from typing import NoReturn

from memviz.cli import main
from memviz.cli.command import Terminated


def terminate(number: int, frame: object) -> NoReturn:
    """As Ctrl-C, but with an exit code of its own."""
    raise Terminated


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
