"""`python -m memviz compare`."""

import argparse
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, complain, watched
from memviz.cli.options import OPTIONS, add_options
from memviz.cli.tables import figure, table
from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError
from memviz.guidance.registry import CORE
from memviz.guidance.spec import make_specs
from memviz.number_lists import parse_ints
from memviz.runs.summary import locate, summarize_run
from memviz.signals import price

if TYPE_CHECKING:
    from memviz.runs.store import Run

CORPUS = ComparisonRequest.corpus


def options(sub: argparse.ArgumentParser) -> None:
    """What a `ComparisonRequest` takes, and where the run goes."""
    text = sub.add_argument
    text("--prompt", action="append", required=True, help="what to show; may be given repeatedly")
    text("--methods", default=",".join(CORE), help="as cfg:scale=7.5,stp:early=0,at=500")
    corpus = {"default": None, "help": OPTIONS["corpus"]["help"] % {"default": CORPUS}}
    add_options(sub, *OPTIONS, corpus=corpus)
    text("--since", default="", metavar="RUN:CELL", help="go on from a kept picture")


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Make all cells; what the run's folder says at the end."""
    ask = asked(args)
    if ask.signals:
        complain(f"The signals cost {price(tuple(ask.signals))}.", 0)
    folder = args.out and fresh(args.out)
    from memviz.comparison.compare import compare

    if args.corpus is None and ask.model.partition("-")[0] != "demo":
        complain("Looking through the demo corpus; name your training images with --corpus.", 0)
    with closing(compare(ask, folder)) as progress:
        last = deque(watched(progress, ask.steps), maxlen=1).pop()
    return summary(last.snapshot())


def asked(args: argparse.Namespace) -> ComparisonRequest:
    """The comparison to make, checked before torch is imported."""
    return ComparisonRequest(
        prompts=tuple(args.prompt),
        methods=make_specs(args.methods),
        seeds=tuple(parse_ints(args.seeds, "--seeds")),
        steps=args.steps,
        scheduler=args.scheduler,
        spacing=args.spacing,
        size=args.size,
        dtype=args.dtype,
        model=args.model,
        corpus=CORPUS if args.corpus is None else args.corpus,
        descriptor=args.descriptor,
        clip=args.clip,
        signals=tuple(filter(None, args.signals.split(","))),
        decoder=args.decoder,
        look_every=args.look_every,
        keep=args.keep,
        probe=args.probe,
        since=args.since,
    )


def fresh(folder: Path) -> Path:
    """A folder that holds no run yet."""
    if (folder / "run.json").exists():
        raise InputError(f"--out: {folder} holds a run already. Name another folder.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {folder} is a file. Name a folder.")
    return folder


def summary(run: "Run") -> dict[str, Any]:
    """A run in the words of the command line; pictures as full paths."""
    return summarize_run(run) | {"folder": locate(run.folder)}


def as_table(result: dict[str, Any]) -> str:
    """The cells as lines, and where the rest is."""
    rows = [
        (
            cell["method"],
            cell["seed"],
            figure(cell["similarity"]),
            figure(cell["alignment"]),
            "-" if cell["transition_step"] is None else f"step {cell['transition_step']}",
            cell["verdict"],
            cell["match"]["caption"] if cell["match"] else "",
        )
        for cell in result["cells"]
    ]
    head = ("method", "seed", "similarity", "alignment", "switched", "verdict", "nearest image")
    calls = f"{result['unet_evaluations']} UNet evaluations, {result['seconds']:.1f} s"
    return f"{table(head, rows)}\n\n{calls}\n{result['folder']}"


VERB = Verb(
    compare,
    as_table,
    options,
)
