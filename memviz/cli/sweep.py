"""`python -m memviz sweep`."""

import argparse
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from memviz import sweep as sweeps
from memviz.ask import SCHEDULERS, Ask
from memviz.cli.compare import fresh, summary, whole_numbers
from memviz.cli.tables import figure, table
from memviz.cli.verb import Verb, watched

EVERY = 5.0  # seconds between two partial results of a job


def options(sub: argparse.ArgumentParser) -> None:
    """The prompt, the values of one parameter, and how to denoise."""
    text = sub.add_argument
    text("--prompt", required=True, help="what to show")
    text("--at", help="transition timesteps, as 100:900:100 (the default) or 300,500")
    text("--early", help="scales before the transition instead, as -2:2:1")
    text("--late", help="scales after it instead, as 2:10:2")
    text("--method", default="stp", help="what has the parameter: stp or og, as stp:late=5")
    text("--seeds", default="0", help="whole numbers, as 0,1,2,3")
    text("--steps", type=int, default=Ask.steps, help="denoising steps (default: %(default)s)")
    text("--scheduler", default=Ask.scheduler, help=f"{', '.join(SCHEDULERS)} (%(default)s)")
    text("--model", default=Ask.model, help="a name, a folder, owner/name or PIPE+UNET")
    text("--corpus", default=Ask.corpus, help="training images to look through (%(default)s)")
    text("--descriptor", default=Ask.descriptor, help="how pictures are compared (%(default)s)")
    text("--keep", action="store_true", help="keep the latents, to go on from any step")
    text("--out", type=Path, metavar="DIR", help="write the run folder here")


def asked(args: argparse.Namespace) -> Ask:
    """The sweep as a comparison."""
    given = [axis for axis in sweeps.AXES if getattr(args, axis) is not None]
    if len(given) > 1:
        raise ValueError(f"A sweep varies one parameter, not {' and '.join(given)}. Give one.")
    axis = given[0] if given else "at"
    names = ("steps", "scheduler", "model", "corpus", "descriptor", "keep")
    return sweeps.ask(
        args.prompt,
        sweeps.numbers(getattr(args, axis) or "100:900:100"),
        whole_numbers(args.seeds),
        axis,
        args.method,
        **{name: getattr(args, name) for name in names},
    )


def sweep(args: argparse.Namespace) -> dict[str, Any]:
    """Make all branches; the grid, the estimated transitions and the best compromise."""
    ask = asked(args)
    folder = args.out and fresh(args.out)
    from memviz import runs
    from memviz.compare import compare
    from memviz.jobs import Workplace

    here, written = Workplace.from_env(), time.monotonic()
    with closing(compare(ask, folder)) as progress:
        for step in watched(progress, ask.steps):
            made = step.comparison.run.folder
            here.metric(step=step.step, of=step.steps)
            if here.folder and time.monotonic() - written > EVERY:
                runs.write(step.run)  # a job's run can be looked at while it is made
                written = time.monotonic()
            if here.stopping():
                break
    info = runs.open_folder(made).info
    if info["state"] == "done":
        here.result(run=info["id"], folder=str(made))
    return summary(made, info) | laid_out(info)


def laid_out(info: dict[str, Any]) -> dict[str, Any]:
    """What a sweep says beyond its cells."""
    made = sweeps.grid(info)
    if made is None:
        return {"axis": None, "values": [], "best": None}
    mark = (info["thresholds"] or {}).get("copied")
    means = {
        name: [sweeps.column(made, i, name) for i in range(len(made.values))]
        for name in ("similarity", "alignment")
    }
    return {
        "axis": made.axis,
        "values": made.values,
        "mean": means,
        "estimated_timestep": dict(
            zip((str(seed) for _, seed in made.rows), sweeps.estimated(made), strict=True)
        ),
        "best": sweeps.best(made, mark),
    }


def as_table(result: dict[str, Any]) -> str:
    """A line per value, and the best compromise."""
    shown = zip(result["values"], *result.get("mean", {}).values(), strict=True)
    rows = [(f"{v:g}", figure(s), figure(a)) for v, s, a in shown]
    lines = table((result["axis"] or "value", "similarity", "alignment"), rows)
    best = result["best"]
    said = f"\n\nBest compromise: {best['value']:g}. {best['reason']}" if best else ""
    calls = f"{result['unet_evaluations']} UNet evaluations, {result['seconds']:.1f} s"
    return f"{lines}{said}\n\n{calls}\n{result['folder']}"


VERB = Verb(
    "make one prompt at many transition points, with shared evaluations",
    sweep,
    as_table,
    options,
)
