"""Disks that are full: found before the work where its size is known, and one sentence after."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memviz.errors import MemvizError

FULL = ("no space left", "file too large", "disk quota", "inline_container", "requested and ")
"""What safetensors, torch, pyarrow and NumPy say, whose exceptions have no such number."""
CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(MemvizError):
    """There is no room for what was to be written: one sentence with the space it takes."""


@contextmanager
def guard_disk(folder: Path, needed: int) -> Iterator[None]:
    """Work that writes `needed` bytes below a folder: refused where there is no room for them.

    Raises DiskFull, also for a disk that others fill in the meantime.
    """
    if free_bytes(folder) < needed:
        raise DiskFull(explain_full(folder, needed))
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise DiskFull(explain_full(folder, needed)) from error


def explain_full(folder: Path, needed: int) -> str:
    """What is needed, what there is, and what to do."""
    return (
        f"There is no room in {folder}: about {format_bytes(needed)} are needed, "
        f"{format_bytes(free_bytes(folder))} are free. Make room (`python -m memviz clean`), "
        "then start again."
    )


def hint_full(folder: Path) -> str:
    """What to do about a full disk where nobody reckoned what the work takes."""
    return (
        f"The disk is full: {format_bytes(free_bytes(folder))} are free where {folder} is. Make "
        "room there or where the output goes (`python -m memviz clean`), then start again."
    )


def is_full(error: BaseException | None) -> bool:
    """Whether an exception, or what led to it, tells of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in CODES:
            return True
        if not isinstance(error, MemvizError) and any(w in str(error).lower() for w in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def free_bytes(folder: Path) -> int:
    """Room on the disk of a folder that may not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def used_bytes(folder: Path) -> int:
    """What the files below a folder take; those that vanish meanwhile take nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        total += getattr(found, "st_blocks", 0) * 512 or found.st_size
    return total


def format_bytes(count: float) -> str:
    """A size as people say it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
