"""Files that somebody else may have written: read without hanging on them or trusting them.

A folder can hold anything: a named pipe blocks whoever opens it, a device never ends, JSON can be
nested deeper than Python recurses, a table end within a row. Here each of these is a `DamagedFile`
with its reason.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from memviz.errors import InputError, MemvizError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from pydantic import TypeAdapter

LARGEST = 2**28  # bytes of a JSON or text file
T = TypeVar("T")
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


@contextmanager
def guard_format(path: Path, what: str, kind: type[MemvizError] = DamagedFile) -> Iterator[None]:
    """A library reads a file here: all that it raises on a damaged one becomes an error of `kind`.

    FileNotFoundError stays where `kind` is the usual one; `what` names the format in the sentence.
    """
    try:
        check_regular(path)
        yield
    except MemvizError:
        raise
    except Exception as error:  # each library, and each version of one, has its own
        if isinstance(error, FileNotFoundError) and kind is DamagedFile:
            raise
        why = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise kind(f"{path} is not {what} that can be read: {why.rstrip('.')}.") from error


def check_regular(path: Path) -> None:
    """Raise FileNotFoundError, or DamagedFile for what blocks or never ends."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedFile(f"{path} cannot be read: {error}.") from error
    if not regular:
        raise DamagedFile(f"{path} cannot be read: it is no regular file.")


def check_folder(folder: Path) -> None:
    """Raise DamagedFile if a library that reads a folder could hang on what lies in it."""
    for file in (*folder.glob("*"), *folder.glob("*/*")):
        if not file.is_dir():
            with suppress(FileNotFoundError):  # a link that leads nowhere is not read either
                check_regular(file)


def read_array(path: Path, in_memory: bool = False) -> "np.ndarray":
    """A .npy file, by default left on the disk. Raises FileNotFoundError or DamagedFile."""
    import numpy as np

    with guard_format(path, "an array"):
        return np.load(path, mmap_mode=None if in_memory else "r", allow_pickle=False)


def read_table(path: Path, columns: list[str] | None = None) -> "pa.Table":
    """A parquet file. Raises FileNotFoundError or DamagedFile."""
    import pyarrow.parquet as pq

    with guard_format(path, "a table"):
        table = pq.read_table(path, columns=columns)
        table.validate(full=True)
        return table


def read_text(path: Path, errors: str = "strict") -> str:
    """A text in UTF-8. Raises FileNotFoundError, or DamagedFile for all else."""
    try:
        return read_bytes(path).decode("utf-8-sig", errors)
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


def read_record(path: Path, kind: type[T]) -> T:
    """JSON as a dataclass, TypedDict or model, whose annotations say what is allowed.

    Raises FileNotFoundError, or DamagedFile that names the first entry that is missing or wrong.
    """
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_json(read_text(path), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        told = f"{where}: {first['msg']}" if where else first["msg"]
        raise DamagedFile(f"{path} cannot be used: {told}.") from error


@cache
def _adapter(kind: type[T]) -> "TypeAdapter[T]":
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def parse_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """`json.loads`, for which JSON nested too deep, and half a character, are ValueErrors, too."""
    text = text if isinstance(text, str) else text.decode()
    try:
        found = json.loads(text)
        if "\\ud" in text.lower():
            json.dumps(found, ensure_ascii=False).encode()  # no terminal takes half a character
        return found
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
