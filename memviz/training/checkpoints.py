"""Checkpoints: everything a fine-tuning needs to go on, as if it had never stopped.

`checkpoints/000400/` holds one file per process and `manifest.json` with the SHA-256 of each. It is
written aside, forced onto the disk and renamed when all have written theirs, so what is found there
is whole; should the disk damage one later, the one before it is taken. Random states need no file:
each step draws from a stamp of seed, member and step.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.disk import format_bytes, free_bytes
from memviz.io.read import DamagedFile, check_regular, read_json
from memviz.training.iet_agc.distributed import ProcessGroup

MANIFEST = "manifest.json"


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

    def save(self, step: int, state: dict[str, Any]) -> Path:
        """Write one, then forget all but the newest few.

        Raises CheckpointError in all processes if one cannot write; earlier ones stay as they are.
        """
        place = self.folder / f"{step:09}"
        part = place.with_suffix(".part")
        if self.peers.first:
            shutil.rmtree(part, ignore_errors=True)  # of a process that was killed
        self.peers.meet()
        written = self.peers.gather([self._write(part, state)])
        problem = next((why for _, _, why in written if why), "")
        if self.peers.first:
            problem = problem or self._put(part, place, {name: hash for name, hash, _ in written})
            if problem:
                shutil.rmtree(part, ignore_errors=True)
        problem = next(filter(None, self.peers.gather([problem])), "")
        if problem:
            raise CheckpointError(self._why(problem, count_bytes(state) * self.peers.count))
        return place

    def load(self) -> dict[str, Any] | None:
        """The newest undamaged state of this process, on the CPU; None if there is none.

        Raises CheckpointError if all are damaged, or of another number of processes.
        """
        found = self.found()
        for place in reversed(found):
            files = sorted(place.glob("*.pt"))
            mine = files[self.peers.rank] if self.peers.rank < len(files) else None
            whole = [file.name for file in files] == self._known(place, files)
            if self.peers.any(not whole or bool(mine and not is_intact(mine, place))):
                if self.peers.first:
                    self.note(f"{place} is damaged; the one before it is taken.")
                continue
            if len(files) != self.peers.count:
                raise CheckpointError(
                    f"{place} was written by {len(files)} processes, but {self.peers.count} are "
                    f"running. Resume with {len(files)}."
                )
            return torch.load(files[self.peers.rank], map_location="cpu", weights_only=True)
        if found:
            raise CheckpointError(
                f"No checkpoint in {self.folder} is undamaged. Start again in another folder, or "
                "bring one back from a backup."
            )
        return None

    def _known(self, place: Path, files: list[Path]) -> list[str]:
        """The files that a checkpoint should have; those it has where it is older than that."""
        manifest = read_manifest(place)
        return [file.name for file in files] if manifest is None else sorted(manifest)

    def _write(self, part: Path, state: dict[str, Any]) -> tuple[str, str, str]:
        """The name of this process's file, its hash, and what went wrong, or nothing."""
        file = part / f"{self.peers.rank:04}.pt"
        try:
            part.mkdir(parents=True, exist_ok=True)
            torch.save(state, file)
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


def is_intact(file: Path, place: Path) -> bool:
    """Whether a file is as it was written; one that is older than manifests must at least load."""
    manifest = read_manifest(place)
    try:
        check_regular(file)
        if manifest is not None:
            return manifest.get(file.name) == hash_file(file)
        torch.load(file, map_location="meta", weights_only=True)
    except Exception:  # whatever a damaged file makes of the reader
        return False
    return True


def read_manifest(place: Path) -> dict[str, Any] | None:
    """Hashes by name; None for a checkpoint without; of a damaged one no file is right."""
    try:
        return read_json(place / MANIFEST, {})
    except FileNotFoundError:
        return None
    except DamagedFile:
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
