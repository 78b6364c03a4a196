"""Processes by pid and start time, so that a pid given to another process is not taken for ours."""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import Any, BinaryIO

import psutil

SAME = 2.0  # seconds by which a start time read twice may differ: the clock is set at times


def identity(pid: int) -> dict[str, float]:
    """What tells this process from any other on this machine. Raises OSError if it has ended."""
    try:
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(str(error)) from None


def alive(known: Mapping[str, Any] | None) -> bool:
    """Whether that very process still runs; one that ended and was not yet reaped does not."""
    if not known:
        return False
    try:
        process = psutil.Process(known["pid"])
        same = abs(process.create_time() - known["started"]) < SAME
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def signal_group(known: Mapping[str, Any] | None, number: signal.Signals) -> None:
    """Send a signal to the process and all it started, if it is still that process."""
    if known and alive(known):
        with suppress(ProcessLookupError):
            os.killpg(known["pid"], number)


def take(file: BinaryIO) -> bool:
    """Lock an open file unless another process has it; processes that inherit it hold it, too."""
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    return True
