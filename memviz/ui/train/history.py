"""What a fine-tuning has told so far, read on from where the last look ended."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, median
from threading import Lock
from typing import Any

from memviz.io.read import Shape, find_mismatch
from memviz.jobs import Job

Row = dict[str, Any]
POINTS = 600  # of the loss that go to a browser
EVENTS: dict[str, Shape] = {  # of those that the page draws, what it takes from them
    "start": {
        **{"steps?": int, "samples?": int, "pictures?": int, "members?": int, "mode?": str},
        **{"resumed_at?": (int, None), "looks?": int, "prompts?": int, "time?": float},
    },
    "step": {"time": float, "step": int, "loss": float},
    "probe": {
        **{"step": int, "round": int, "member?": (int, None), "groups": {}},
        **{"stop_here?": (int, None), "pictures?": [{"group": str, "file": str}]},
    },
}
CHUNKS = 8  # stretches of the present attempt whose speeds are compared
ENOUGH = 5  # step events before a time is estimated


@dataclass
class History:
    """The events of one job. What came after the checkpoint of a resume is forgotten."""

    job: Job
    offset: int = 0
    rows: list[Row] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)  # several visitors may look at once

    def read(self) -> "History":
        """Take in what is new."""
        with self.lock:
            while (found := self.job.metrics(self.offset))[1] != self.offset:
                rows, self.offset = found
                for row in rows:
                    self.take(row)
        return self

    def take(self, row: Row) -> None:
        """Add one event."""
        if not fits(row):  # damaged, or of another version
            return
        if row.get("event") == "start":
            kept = row.get("resumed_at") or -1  # from the beginning: nothing is kept
            self.rows = [r for r in self.rows if r.get("step", 0) <= kept]
        if "event" in row:
            self.rows.append(row)

    def of(self, event: str) -> list[Row]:
        """All events of a kind."""
        return [row for row in self.rows if row["event"] == event]

    def last(self, event: str) -> Row:
        """The newest event of a kind; empty without one."""
        return next((row for row in reversed(self.rows) if row["event"] == event), {})

    def step(self) -> int:
        """The newest step that was told."""
        return max((row.get("step", 0) for row in self.rows), default=0)

    def attempt(self) -> list[Row]:
        """Steps since the newest start."""
        begin = max((i for i, row in enumerate(self.rows) if row["event"] == "start"), default=0)
        return [row for row in self.rows[begin:] if row["event"] == "step"]

    def pace(self) -> float | None:
        """The median time between two signs of life, in seconds."""
        times = [row["time"] for row in self.attempt()]
        return median(b - a for a, b in pairwise(times)) if len(times) > 1 else None

    def remaining(self) -> tuple[float, float, float] | None:
        """Seconds to the end (likely, at the best and at the worst speed so far)."""
        rows = self.attempt()
        if len(rows) < ENOUGH:
            return None
        left = self.last("start").get("steps", 0) - rows[-1]["step"]
        ends = [rows[i] for i in spread(len(rows), CHUNKS)]
        speeds = [seconds_per_step(a, b) for a, b in pairwise(ends)]
        return left * seconds_per_step(rows[0], rows[-1]), left * min(speeds), left * max(speeds)


def fits(row: Row) -> bool:
    """Whether an event can be drawn: its entries are of their types, and finite."""
    shape = EVENTS.get(str(row.get("event")), {"step?": int, "model?": (str, None)})
    groups = row.get("groups", {})
    known = not find_mismatch(row, shape) and isinstance(groups, dict)
    finite = all(math.isfinite(row.get(name, 0)) for name in ("time", "loss")) if known else False
    return finite and all(isinstance(found, dict) for found in groups.values())


def seconds_per_step(a: Row, b: Row) -> float:
    """The speed between two events, looks at the probes included."""
    return (b["time"] - a["time"]) / max(1, b["step"] - a["step"])


def spread(length: int, parts: int) -> list[int]:
    """Indices from the first to the last, evenly spaced."""
    parts = min(parts, length - 1)
    return [round(i * (length - 1) / parts) for i in range(parts + 1)]


def thinned(rows: Sequence[Row], x: str, y: str, points: int = POINTS) -> dict[str, list[float]]:
    """Two columns as means over stretches of equal length, no more than `points` of them."""
    size = -(-len(rows) // points) or 1
    parts = [rows[i : i + size] for i in range(0, len(rows), size)]
    return {"x": [part[-1][x] for part in parts], "y": [round(mean(part, y), 5) for part in parts]}


def mean(rows: Iterable[Row], name: str) -> float:
    """The mean of a column."""
    return fmean(row[name] for row in rows)
