"""Files and folders written aside and put in their place whole: a reader sees the old or the new.

After an exception the old one stands as it was and nothing is left beside it. What must outlive a
loss of power (a run's record, a checkpoint) is written `durable`: file, then folder, on the disk.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@contextmanager
def written(path: Path, durable: bool = False) -> Iterator[Path]:
    """Where to write a file that shall stand at `path`; several processes may do so at once.

    The name ends in `.part`, which no search for files of a kind finds: tell a writer that goes
    by suffixes the format, or give it an open file.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        if durable:
            sync(part)
        part.replace(path)
        if durable:
            sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def text(path: Path, value: str, durable: bool = False) -> None:
    """Write a text in UTF-8."""
    with written(path, durable) as part:
        part.write_text(value, "utf-8")


def json(path: Path, value: Any, indent: int | None = 1, durable: bool = False) -> None:  # noqa: ANN401 - JSON
    """Write JSON; TypeError, before anything is touched, for what it cannot say."""
    text(path, dumps(value, indent=indent, ensure_ascii=False) + "\n", durable)


def array(path: Path, rows: "np.ndarray") -> None:
    """Write a .npy file."""
    import numpy as np

    with written(path) as part, part.open("wb") as file:
        np.save(file, rows)


@contextmanager
def folder(path: Path) -> Iterator[Path]:
    """An empty folder to fill, which then takes the place of the one at `path`.

    `restore` mends what a kill between the two moves leaves.
    """
    part, old = path.with_name(f"{path.name}.part"), former(path)
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(old, ignore_errors=True)
        if path.exists():
            path.rename(old)
        part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def discard(path: Path) -> None:
    """Delete a folder; it is out of every list at once, however long its files take."""
    gone = path.with_name(f".{path.name}.part")
    shutil.rmtree(gone, ignore_errors=True)  # of a process that was killed within this
    path.rename(gone)
    shutil.rmtree(gone)


def former(path: Path) -> Path:
    """Where a folder stands while the new one takes its place."""
    return path.with_name(f"{path.name}.old")


def restore(path: Path) -> None:
    """The folder as it was, if a process was killed between the two moves."""
    if former(path).is_dir() and not path.exists():
        former(path).rename(path)
