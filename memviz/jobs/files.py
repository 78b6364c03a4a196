"""Small files written by one process and read by others at any moment."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from memviz.io import read
from memviz.io.read import DamagedFile, Shape

BLOCK = 2**20  # bytes of metrics or log read at once
TAIL = 2**16  # bytes of log looked at for its last lines


def read_json(path: Path, shape: Shape = dict) -> dict[str, Any] | None:
    """What a file says; None where there is none, it is not whole, or not of this shape."""
    try:
        return read.read_json(path, shape)
    except (FileNotFoundError, DamagedFile):
        return None


def reserve(path: Path, size: int = 4096) -> None:
    """Take the bytes of a later file now, so that a disk that is full by then cannot refuse it."""
    path.write_bytes(b" " * size)


def write_reserved(held: Path, path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON over reserved bytes, in place, then rename; trailing spaces are valid JSON."""
    with held.open("r+b") as file:
        file.write(json.dumps(value).encode())
    held.replace(path)


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """One JSON line in one write, on a line of its own even after a process died within one."""
    line = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    with path.open("a+b") as file:
        file.write(line if ends_a_line(file) else b"\n" + line)


def ends_a_line(file: BinaryIO) -> bool:
    """Whether a file is empty or its last byte is a line's end."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def json_lines(path: Path, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """The whole lines after `offset` bytes, and the offset to go on from.

    A line still being written is left for the next call; one that was cut off is skipped. At most
    one block is read: call again until the offset stands still.
    """
    try:
        read.check_regular(path)
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read(BLOCK)
    except (OSError, DamagedFile):
        return [], offset
    end = block.rfind(b"\n") + 1
    if not end and len(block) == BLOCK:
        end = BLOCK  # no line is that long: a damaged stretch
    return [row for line in block[:end].splitlines() if (row := parsed(line))], offset + end


def parsed(line: bytes) -> dict[str, Any] | None:
    """A JSON line, or None where it is damaged."""
    try:
        found = read.parse_json(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def last_row(path: Path) -> dict[str, Any]:
    """The newest whole line of a metrics file of any size; empty where there is none."""
    rows = (parsed(line) for line in reversed(end_of(path).splitlines()))
    return next((row for row in rows if row is not None), {})


def end_of(path: Path) -> bytes:
    """The whole lines among the last bytes of a file; empty where there is none."""
    try:
        read.check_regular(path)
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            found = file.read(TAIL)
    except (OSError, DamagedFile):
        return b""
    return found.partition(b"\n")[2] if size > TAIL else found


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log of any size; of a progress bar only its newest state."""
    text = end_of(path).decode("utf-8", "replace")
    found = text.replace("\r\n", "\n").split("\n")
    shown = (line.rstrip("\r").rpartition("\r")[2].rstrip() for line in found)
    return [line for line in shown if line][-lines:]
