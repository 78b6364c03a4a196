"""What a person noted on a run: a name, a note, a star.

It lies in the run's folder, beside the record, which stays as it was made.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.io import atomic
from memviz.io.read import DamagedFile, read_json

FILE = "note.json"
STAR = "starred"  # an empty file: the run is never cleaned away
LONGEST = 2_000  # characters of a name or a note


@dataclass(frozen=True)
class Note:
    """A name to find the run by, some words on it, and whether it is to be spared."""

    name: str = ""
    text: str = ""
    starred: bool = False


def read_note(folder: Path) -> Note:
    """The note in a run's folder; an empty one where there is none."""
    try:
        found: dict[str, Any] = read_json(folder / FILE, {})
    except (FileNotFoundError, DamagedFile):
        found = {}
    words = {name: str(found.get(name) or "") for name in ("name", "text")}
    return Note(**words, starred=(folder / STAR).exists())


def write_note(folder: Path, note: Note) -> None:
    """Keep a note in a run's folder. Raises InputError for one that is too long."""
    if max(len(note.name), len(note.text)) > LONGEST:
        raise InputError(f"A name or a note has up to {LONGEST:,} characters. Shorten it.")
    words = asdict(note)
    if words.pop("starred"):
        (folder / STAR).touch()
    else:
        (folder / STAR).unlink(missing_ok=True)
    if any(words.values()) or (folder / FILE).exists():
        atomic.json(folder / FILE, words)
