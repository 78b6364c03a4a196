"""Files that somebody else may have written: read without hanging on them or trusting them.

A folder can hold anything: a named pipe blocks whoever opens it, a device never ends, JSON can be
nested deeper than Python recurses. Here each of these is a `DamagedFile` with its reason.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memviz.errors import InputError

LARGEST = 2**28  # bytes of a JSON or text file
Shape = type | None | tuple["Shape", ...] | list["Shape"] | Mapping[str, "Shape"]


class DamagedFile(InputError):
    """A file that is there and cannot be used: one sentence."""


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """A regular file's bytes. Raises FileNotFoundError, or DamagedFile for all else."""
    try:
        # without waiting for the other end of a pipe
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise DamagedFile(f"{path} cannot be read: it is no regular file.")
            if found.st_size > largest:
                raise DamagedFile(
                    f"{path} cannot be read: it has {found.st_size:,} bytes, at most {largest:,}."
                )
            return file.read()
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if isinstance(error, DamagedFile):
            raise
        why = getattr(error, "strerror", None) or str(error)
        raise DamagedFile(f"{path} cannot be read: {why}.") from error


def read_text(path: Path) -> str:
    """A text in UTF-8. Raises FileNotFoundError, or DamagedFile for all else."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path} cannot be read: it is no text ({error}).") from error


def read_json(path: Path, shape: Shape = object) -> Any:  # noqa: ANN401 - JSON
    """JSON of this shape (see `find_mismatch`). Raises FileNotFoundError or DamagedFile."""
    try:
        found = parse_json(read_text(path))
    except DamagedFile:
        raise
    except ValueError as error:
        raise DamagedFile(f"{path} cannot be read: {error}.") from error
    if wrong := find_mismatch(found, shape):
        raise DamagedFile(f"{path} cannot be used: {wrong}.")
    return found


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """`json.loads`, for which JSON nested too deep is one more ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def find_mismatch(value: object, shape: Shape, place: str = "it") -> str:
    """What of a JSON value is not of its shape, in words; empty if all is.

    A shape is a type (`float` takes whole numbers, no type takes a bool for a number), None, a
    tuple of alternatives, a list with the shape of every item, or a mapping of names to shapes.
    Further names are allowed; one that ends in "?" may be missing.
    """
    if isinstance(shape, tuple):
        found = [find_mismatch(value, one, place) for one in shape]
        return "" if "" in found else found[0]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{place} is {describe(value)}, wanted a list"
        items = (find_mismatch(item, shape[0], f"{place}[{i}]") for i, item in enumerate(value))
        return next(filter(None, items), "")
    if isinstance(shape, Mapping):
        return _find_mismatch_of_object(value, shape, place)
    if shape is None:
        return "" if value is None else f"{place} is {describe(value)}, wanted null"
    fits = isinstance(value, (int, float) if shape is float else shape)
    if fits and not (isinstance(value, bool) and shape in (int, float)):
        return ""
    return f"{place} is {describe(value)}, wanted {TYPES.get(shape, shape.__name__)}"


def _find_mismatch_of_object(value: object, shape: Mapping[str, Shape], place: str) -> str:
    if not isinstance(value, dict):
        return f"{place} is {describe(value)}, wanted an object"
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name not in value:
            if name == key:
                return f"{place} has no {name!r}"
            continue
        where = name if place == "it" else f"{place}.{name}"
        if wrong := find_mismatch(value[name], inner, where):
            return wrong
    return ""


TYPES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false",
         dict: "an object", list: "a list"}  # fmt: skip


def describe(value: object) -> str:
    """A JSON value, short enough for a sentence."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
