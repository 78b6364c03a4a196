"""The side of a job that runs inside it. Outside a job all of this does nothing."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from memviz.io import atomic
from memviz.jobs.files import append_line

VARIABLE = "MEMVIZ_JOB"  # set for every worker: its folder


@dataclass(frozen=True)
class JobContext:
    """Where a worker writes what it measured and reads whether it shall stop."""

    folder: Path | None = None

    @classmethod
    def from_env(cls) -> "JobContext":
        """The job this process is; one without a folder if it is none."""
        place = os.environ.get(VARIABLE)
        return cls(Path(place) if place else None)

    def metric(self, **values: object) -> None:
        """Append one line of measurements, with its time in seconds since the epoch."""
        if self.folder:
            append_line(self.folder / "metrics.jsonl", {"time": round(time.time(), 3), **values})

    def stopping(self) -> bool:
        """Whether someone asked the job to stop; cheap enough for every step."""
        return self.folder is not None and (self.folder / "stop").exists()

    def checkpoint(self, step: int) -> None:
        """Say that the work can be resumed from this step; call it once the files are in place."""
        if self.folder:
            atomic.json(self.folder / "checkpoint.json", {"step": step, "time": time.time()})

    def result(self, **values: object) -> None:
        """Say that the work came to its end, and what it made."""
        if self.folder:
            atomic.json(self.folder / "result.json", values)
