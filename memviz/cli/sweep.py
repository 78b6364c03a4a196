"""`python -m memviz sweep`."""

import argparse
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, complain, watched
from memviz.cli.compare import fresh, summary
from memviz.cli.options import MADE, OPTIONS, add_options
from memviz.cli.tables import table
from memviz.comparison import sweep as sweeps
from memviz.comparison.request import ComparisonRequest
from memviz.jobs import JobContext
from memviz.number_lists import parse_ints
from memviz.signals import price

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView

FLAGS = ("at", "early", "late")  # parameters with an option of their own
EVERY = 2.0  # seconds between two partial results of a job


def options(sub: argparse.ArgumentParser) -> None:
    """The prompt, the values of one parameter or two, and how to denoise."""
    text = sub.add_argument
    text("--prompt", required=True, help="what to show")
    text("--at", help="transition timesteps, as 100:900:100 (the default) or 300,500")
    text("--early", help="scales before the transition, as -2:2:1; alone or with --at")
    text("--late", help="scales after it, as 2:10:2; alone or with --at")
    text("--vary", action="append", default=[], metavar="NAME=VALUES",
         help="any number of the method, as latest=100:500:100; twice for two")  # fmt: skip
    text("--method", default="stp", help="whose parameters they are, as dtp or stp:late=5")
    add_options(sub, *OPTIONS)


def varied(text: str) -> tuple[str, str]:
    """A parameter and its values as typed."""
    name, _, values = text.partition("=")
    return name.strip(), values


def asked(args: argparse.Namespace) -> ComparisonRequest:
    """The sweep as a comparison."""
    given = {axis: getattr(args, axis) for axis in FLAGS if getattr(args, axis) is not None}
    given |= dict(map(varied, args.vary))
    names = (*MADE, "clip", "keep", "probe", "decoder", "look_every")
    return sweeps.request_sweep(
        args.prompt,
        {axis: sweeps.parse_values(v) for axis, v in (given or {"at": "100:900:100"}).items()},
        parse_ints(args.seeds, "--seeds"),
        args.method,
        signals=tuple(filter(None, args.signals.split(","))),
        **{name: getattr(args, name) for name in names},
    )


def sweep(args: argparse.Namespace) -> dict[str, Any]:
    """Make all branches; the grid, the estimated transitions and the best compromise."""
    ask = asked(args)
    if ask.signals:
        complain(f"The signals cost {price(tuple(ask.signals))}.", 0)
    folder, here = args.out and fresh(args.out), JobContext.from_env()
    from memviz.comparison.compare import compare
    from memviz.runs import store

    if here.folder and not folder:  # a job's run has the job's name, and goes on when it is resumed
        folder = store.root() / here.folder.name
    with closing(compare(ask, folder, resumable=here.folder is not None)) as progress:
        last = deque(told(watched(progress, ask.steps), here), maxlen=1).pop()
    run = store.open_folder(last.snapshot().folder)  # finished, or stopped
    if run.record.state == "done":
        here.result(run=run.record.id, folder=str(run.folder))
    return summary(run) | sweeps.summarize_grid(run.record)


def told(progress: "Iterable[StepView]", here: JobContext) -> "Iterator[StepView]":
    """The same, written where a job keeps what it is doing; ends when the job shall stop."""
    from memviz.comparison.writer import save_snapshot

    saved = 0.0
    for step in progress:
        yield step
        here.metric(step=step.step, of=step.steps)
        here.checkpoint(step.step)
        if here.stopping():
            return
        if here.folder and time.monotonic() - saved > EVERY:
            save_snapshot(step)
            saved = time.monotonic()


def as_table(result: dict[str, Any]) -> str:
    """A line per value, and the best compromise."""
    rows = [tuple(map(short, point.values())) for point in result["points"]]
    lines = table(tuple(result["points"][0]), rows) if rows else "No sweep."
    best = result["best"]
    said = f"\n\nBest compromise: {place(result, best)}. {best['reason']}" if best else ""
    calls = f"{result['unet_evaluations']} UNet evaluations, {result['seconds']:.1f} s"
    return f"{lines}{said}\n\n{calls}\n{result['folder']}"


def short(value: float | None) -> str:
    """Four digits, or a dash."""
    return "-" if value is None else f"{value:.4g}"


def place(result: dict[str, Any], best: dict[str, Any]) -> str:
    """The best point in words."""
    across = f", {result['across']} {best['across']:g}" if result["across"] else ""
    return f"{result['axis']} {best['value']:g}{across}"


VERB = Verb(
    sweep,
    as_table,
    options,
)
