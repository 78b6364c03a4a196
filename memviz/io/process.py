"""Processes by pid and start, so that a pid given to another process is not taken for ours.

The start is counted in clock ticks since the machine's own start (field 22 of /proc/PID/stat), with
the id of that start: setting the clock changes neither. Where there is no /proc, and in records of
older versions, it is the time of day, which may have been set since.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from memviz.io.read import Shape

SAME = 2.0  # seconds by which a time of day read twice may differ
PROCESS: Shape = {"pid": int, "started": float, "ticks?": (int, None), "boot?": str}


def identity(pid: int) -> dict[str, Any]:
    """What tells this process from any other on this machine. Raises OSError if it has ended."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(str(error)) from None
    return {"pid": pid, "started": started, "ticks": start_ticks(pid), "boot": boot_id()}


def start_ticks(pid: int) -> int | None:
    """Clock ticks from the machine's start to the process's; None where that cannot be read."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])  # the name may hold blanks and brackets


@cache
def boot_id() -> str:
    """What names this start of the machine; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def alive(known: Mapping[str, Any] | None) -> bool:
    """Whether that very process still runs; one that ended and was not yet reaped does not."""
    if not known:
        return False
    try:
        process = psutil.Process(known["pid"])
        return same(process, known) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # gone, or no pid at all
        return False


def same(process: psutil.Process, known: Mapping[str, Any]) -> bool:
    """Whether a process began when the known one did."""
    if known.get("ticks") is not None:
        return known.get("boot") == boot_id() and known["ticks"] == start_ticks(process.pid)
    return abs(process.create_time() - known["started"]) < SAME
