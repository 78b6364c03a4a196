"""A folder of pictures as an evaluation reads it: files, prompts, and how each was made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.data import corpus as corpora
from memviz.data.formats.captions import natural
from memviz.errors import InputError
from memviz.evaluation.bulk import read_about

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Pictures:
    """The pictures of one method, in the order of their names as people count."""

    folder: Path
    files: Sequence[Path]
    prompts: Sequence[str]  # of each picture
    about: Sequence[dict[str, Any]]  # what each file says of itself; empty for others' pictures

    def __len__(self) -> int:
        return len(self.files)

    def images(self) -> Iterator["Image.Image"]:
        """One after the other, RGB."""
        from memviz.io.images import decode

        for file in self.files:
            yield decode(file.read_bytes())[0]

    def values(self, name: str) -> list[float] | None:
        """A number that each file says; None where one does not."""
        found = [float(about[name]) for about in self.about if about.get(name) is not None]
        return found if len(found) == len(self.about) else None


def read_pictures(folder: Path) -> Pictures:
    """Any folder that a corpus could be; prompts as its captions are found. InputError if empty."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of pictures. Name another.")
    read = corpora.load(folder)
    named = sorted(zip(read.column("file"), read.captions, strict=True), key=_by_name)
    files = [folder / name for name, _ in named]
    about = [read_about(file) for file in files]
    prompts = [told.get("prompt") or text for told, (_, text) in zip(about, named, strict=True)]
    return Pictures(folder, files, prompts, about)


def picture_folders(place: Path) -> dict[str, Path]:
    """The folders of pictures in a place by name: its subfolders, or itself where it holds some."""
    if not place.is_dir():
        raise InputError(f"{place} is not a folder of pictures. Name another.")
    inside = sorted(
        path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    if (place / "generations").is_dir() or not inside:
        return {place.name: place}
    return {path.name: path for path in inside}


def _by_name(pair: tuple[str, str]) -> list[tuple[int, int | str]]:
    return natural(pair[0])
