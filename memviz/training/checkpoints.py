"""Checkpoints: everything a fine-tuning needs to go on, as if it had never stopped.

`checkpoints/000400/` holds the pieces of each process and `manifest.json` with the SHA-256 of each.
A piece whose name says that nothing changed since the checkpoint before (the optimizer of a parked
member, the average of the last round) is that one's file, linked, and not written again. All is
written aside, forced onto the disk and renamed when every process has written its pieces, so what
is found there is whole; should the disk damage one later, the one before it is taken. Random states
need no file: each step draws from a stamp of seed, member and step.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.disk import format_bytes, free_bytes
from memviz.io.read import DamagedFile, check_regular, read_json
from memviz.training.iet_agc.distributed import ProcessGroup

MANIFEST = "manifest.json"
ALWAYS = ("state", "run")  # pieces that change with every step


class CheckpointError(MemvizError):
    """Why a checkpoint could not be written or read: one sentence."""


class Checkpoints:
    """The checkpoints of one output folder."""

    def __init__(
        self,
        folder: Path,
        keep: int,
        peers: ProcessGroup,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder, self.keep, self.peers, self.note = folder, keep, peers, note

    def found(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        return sorted(p for p in self.folder.glob("[0-9]*") if p.suffix == "")

    def save(self, step: int, pieces: Mapping[str, Any]) -> Path:
        """Write one, then forget all but the newest few.

        Pieces but those named in `ALWAYS` are the same wherever their name is.

        Raises CheckpointError in all processes if one cannot write; earlier ones stay as they are.
        """
        place = self.folder / f"{step:09}"
        part = place.with_suffix(".part")
        if self.peers.first:
            shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
        self.peers.meet()
        before = next(iter(self.found()[::-1]), None)
        written = self.peers.gather([self._write(part, before, *piece) for piece in pieces.items()])
        problem = next((why for _, _, why in written if why), "")
        if self.peers.first:
            problem = problem or self._put(part, place, {name: hash for name, hash, _ in written})
            if problem:
                shutil.rmtree(part, ignore_errors=True)
        problem = next(filter(None, self.peers.gather([problem])), "")
        if problem:
            needed = count_bytes([*pieces.values()]) * self.peers.count
            raise CheckpointError(self._why(problem, needed))
        return place

    def load(self) -> dict[str, Any] | None:
        """The newest undamaged pieces of this process, on the CPU; None if there is none.

        Raises CheckpointError if all are damaged, or of another number of processes.
        """
        found = self.found()
        for place in reversed(found):
            files = sorted(file.name for file in place.glob("*.pt"))
            mine = [place / name for name in files if name.startswith(f"{self.peers.rank:04}-")]
            whole = files == self._known(place) and all(is_intact(file, place) for file in mine)
            if self.peers.any(not whole):
                if self.peers.first:
                    self.note(f"{place} is damaged; the one before it is taken.")
                continue
            if (count := len({name[:4] for name in files})) != self.peers.count:
                raise CheckpointError(
                    f"{place} was written by {count} processes, but {self.peers.count} are "
                    f"running. Resume with {count}."
                )
            return {
                file.stem.partition("-")[2]: torch.load(file, map_location="cpu", weights_only=True)
                for file in mine
            }
        if found:
            raise CheckpointError(
                f"No checkpoint in {self.folder} is undamaged. Start again in another folder, or "
                "bring one back from a backup."
            )
        return None

    def _known(self, place: Path) -> list[str]:
        """The files that a checkpoint should have."""
        return sorted(read_manifest(place))

    def _write(
        self, part: Path, before: Path | None, piece: str, value: object
    ) -> tuple[str, str, str]:
        """The name of a piece's file, its hash, and what went wrong, or nothing."""
        file = part / f"{self.peers.rank:04}-{piece}.pt"
        try:
            part.mkdir(parents=True, exist_ok=True)
            if before and piece not in ALWAYS and (same := before / file.name).is_file():
                link(same, file)
                return file.name, read_manifest(before)[file.name], ""
            torch.save(value, file)
            atomic.sync(file)
            return file.name, hash_file(file), ""
        except (OSError, RuntimeError) as error:  # torch tells a full disk as a RuntimeError
            return file.name, "", str(error).splitlines()[0] or type(error).__name__

    def _put(self, part: Path, place: Path, hashes: dict[str, str]) -> str:
        """Move a whole checkpoint to its place; what went wrong, or nothing."""
        try:
            atomic.json(part / MANIFEST, hashes, durable=True)
            shutil.rmtree(place, ignore_errors=True)
            part.rename(place)
            atomic.sync(place.parent)
            for old in self.found()[: -self.keep]:
                shutil.rmtree(old)
        except OSError as error:
            return str(error)
        return ""

    def _why(self, problem: str, needed: int) -> str:
        last = self.found()[-1:]
        left = f"The last one, {last[0].name}, is whole" if last else "There is none yet"
        return (
            f"No checkpoint could be written to {self.folder} ({problem}; it needs "
            f"{format_bytes(needed)}, {format_bytes(free_bytes(self.folder))} are free). "
            f"{left}: make room, then resume."
        )


def link(file: Path, place: Path) -> None:
    """The same file under another name; a copy where the disk has no links."""
    try:
        os.link(file, place)
    except OSError:
        shutil.copy2(file, place)


def is_intact(file: Path, place: Path) -> bool:
    """Whether a file is as it was written, and a regular one: a pipe would be waited for."""
    try:
        check_regular(file)
        return read_manifest(place).get(file.name) == hash_file(file)
    except (OSError, MemvizError, ValueError):
        return False


def read_manifest(place: Path) -> dict[str, str]:
    """Hashes by name; of a checkpoint without, or a damaged one, no file is right."""
    try:
        return read_json(place / MANIFEST, {})
    except (FileNotFoundError, DamagedFile):
        return {}


def hash_file(file: Path) -> str:
    """The SHA-256 of what stands on the disk now."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def count_bytes(value: object) -> int:
    """What the tensors within a state take on the disk."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(map(count_bytes, value.values()))
    return sum(map(count_bytes, value)) if isinstance(value, (list, tuple)) else 0
