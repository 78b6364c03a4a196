"""Checkpoints: everything a fine-tuning needs to go on, as if it had never stopped.

`checkpoints/000400/` holds one file per process; it is written aside and renamed when all have
written theirs, so what is found there is whole. Random states need no file: each step draws from
a stamp of seed, member and step.
"""

import shutil
from pathlib import Path
from typing import Any

import torch

from memviz.errors import MemvizError
from memviz.training.iet_agc.distributed import Peers


class CheckpointError(MemvizError):
    """Why a checkpoint could not be written or read: one sentence."""


class Checkpoints:
    """The checkpoints of one output folder."""

    def __init__(self, folder: Path, keep: int, peers: Peers) -> None:
        self.folder, self.keep, self.peers = folder, keep, peers

    def found(self) -> list[Path]:
        """Whole checkpoints, oldest first."""
        return sorted(p for p in self.folder.glob("[0-9]*") if p.suffix == "")

    def save(self, step: int, state: dict[str, Any]) -> Path:
        """Write one, then forget all but the newest few.

        Raises CheckpointError in all processes if one cannot write; earlier ones stay as they are.
        """
        place = self.folder / f"{step:09}"
        part = place.with_suffix(".part")
        problem = self._write(part, state)
        problems = [text for text in self.peers.gather([problem]) if text]
        if self.peers.first:
            if problems:
                shutil.rmtree(part, ignore_errors=True)
            else:
                shutil.rmtree(place, ignore_errors=True)
                part.rename(place)
                for old in self.found()[: -self.keep]:
                    shutil.rmtree(old)
        self.peers.meet()
        if problems:
            raise CheckpointError(self._why(problems[0]))
        return place

    def load(self) -> dict[str, Any] | None:
        """The newest state of this process, on the CPU; None if there is none."""
        if not (found := self.found()):
            return None
        files = sorted(found[-1].glob("*.pt"))
        if len(files) != self.peers.count:
            raise CheckpointError(
                f"{found[-1]} was written by {len(files)} processes, but {self.peers.count} are "
                f"running. Resume with {len(files)}."
            )
        return torch.load(files[self.peers.rank], map_location="cpu", weights_only=True)

    def _write(self, part: Path, state: dict[str, Any]) -> str:
        """What went wrong, or nothing."""
        try:
            part.mkdir(parents=True, exist_ok=True)
            torch.save(state, part / f"{self.peers.rank:04}.pt")
        except (OSError, RuntimeError) as error:  # torch tells a full disk as a RuntimeError
            return str(error).splitlines()[0] or type(error).__name__
        return ""

    def _why(self, problem: str) -> str:
        free = shutil.disk_usage(self.folder.parent).free / 1e6
        last = self.found()[-1:]
        left = f"The last one, {last[0].name}, is whole" if last else "There is none yet"
        return (
            f"No checkpoint could be written to {self.folder} ({problem}; {free:.0f} MB free). "
            f"{left}: make room, then resume."
        )
