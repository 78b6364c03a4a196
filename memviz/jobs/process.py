"""Signals to the processes of a job, and the locks that they hold."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO

from memviz.io.process import PROCESS as PROCESS
from memviz.io.process import alive as alive
from memviz.io.process import identity as identity


def signal_group(known: Mapping[str, Any] | None, number: signal.Signals) -> None:
    """Send a signal to the process and all it started, if it is still that process."""
    if known and alive(known):
        with suppress(ProcessLookupError):
            os.killpg(known["pid"], number)


def take(file: BinaryIO) -> bool:
    """Lock an open file unless another process has it; processes that inherit it hold it, too."""
    from fcntl import LOCK_EX, LOCK_NB, flock  # POSIX only: the rest of memviz starts without it

    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
