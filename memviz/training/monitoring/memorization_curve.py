"""What was seen of the watched prompts, kept in a folder: events, a table and a picture."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path

from memviz.io import atomic, html
from memviz.jobs.files import append_line, json_lines
from memviz.training.events import Event
from memviz.training.monitoring.monitor import stop_here

METRICS = "metrics.jsonl"
COLORS = ("#c2410c", "#1d4ed8", "#15803d", "#7e22ce")
COLUMNS = ("copied", "similarity_mean", "magnitude", "alignment")


class MemorizationCurve:
    """A folder with `metrics.jsonl`, and `memorization.csv` and `.svg` made again at each look."""

    def __init__(self, out: Path) -> None:
        self.out = out

    def read(self) -> list[Event]:
        """The events of before; empty where there are none."""
        rows, offset, before = [], 0, -1
        while offset != before:
            before = offset
            found, offset = json_lines(self.out / METRICS, offset)
            rows += found
        return rows

    def add(self, event: Event, looks: Sequence[Event] = ()) -> None:
        """Write an event down; draw all `looks` where there are some."""
        self.out.mkdir(parents=True, exist_ok=True)
        append_line(self.out / METRICS, {"time": round(time.time(), 3), **event})
        if looks:
            atomic.text(self.out / "memorization.csv", write_table(looks))
            atomic.text(self.out / "memorization.svg", draw_curve(looks))


def write_table(looks: Sequence[Event]) -> str:
    """A row per look and group, as CSV."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("step", "saved", "group", *COLUMNS))
    for look in looks:
        for group, row in look["groups"].items():
            values = ("" if row[name] is None else row[name] for name in COLUMNS)
            table.writerow((look["step"], look.get("saved", ""), group, *values))
    return text.getvalue()


def draw_curve(looks: Sequence[Event]) -> str:
    """The copied share of each group by step, and the step of the last look before copying."""
    number = stop_here(looks)
    stop = next((look["step"] for look in looks if look["round"] == number), None)
    steps = [look["step"] for look in looks]
    groups = dict.fromkeys(name for look in looks for name in look["groups"])
    curves = {
        name: [(k["step"], k["groups"][name]["copied"]) for k in looks if name in k["groups"]]
        for name in groups
    }
    return html.render(
        "training/monitoring/memorization_curve.svg.html",
        curves=curves,
        stop=stop,
        last=max(1, *steps),
        ticks=sorted({steps[round(i * (len(steps) - 1) / 4)] for i in range(5)}),
        colors=COLORS,
    )
