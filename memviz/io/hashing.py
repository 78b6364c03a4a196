"""SHA-256 of files and folders, remembered by size and time so that gigabytes are read once."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from memviz.io import atomic
from memviz.io.paths import home
from memviz.io.read import DamagedFile, read_json

REMEMBER = 64 * 2**20  # bytes; larger files are remembered on disk too


def file_hash(path: Path) -> str:
    """Hex SHA-256 of one file; a file whose size and time stand still is not read again."""
    path = Path(path).resolve()
    seen = path.stat()
    return _file_hash(path, seen.st_size, seen.st_mtime_ns)


def files_hash(named: Iterable[tuple[str, Path]]) -> str:
    """One hash over names and contents, whatever order they come in."""
    total = hashlib.sha256()
    for name, path in sorted(named):
        total.update(f"{name}\0{file_hash(path)}\n".encode())
    return total.hexdigest()


@lru_cache(maxsize=4096)
def _file_hash(path: Path, size: int, mtime: int) -> str:
    if size < REMEMBER:
        return _read(path)
    key, known = f"{path}:{size}:{mtime}", _remembered()
    if key not in known:
        known[key] = _read(path)
        _remember(known)
    return known[key]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remembered() -> dict[str, str]:
    try:
        found = read_json(home() / "hashes.json", {})
    except (FileNotFoundError, DamagedFile):
        return {}
    return {key: known for key, known in found.items() if isinstance(known, str)}


def _remember(known: dict[str, str]) -> None:
    """Best effort: a read-only home only costs time."""
    with suppress(OSError):
        atomic.json(home() / "hashes.json", known)
