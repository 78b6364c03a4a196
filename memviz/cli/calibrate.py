"""`python -m memviz calibrate`."""

import argparse
import re
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.options import PATH, add_options
from memviz.cli.tables import table
from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError
from memviz.signals import check, price

CONTROLS = 112  # fresh captions of either kind for the demo


def options(sub: argparse.ArgumentParser) -> None:
    """What the band shall hold for."""
    text = sub.add_argument
    text("--prompts", type=Path, help="a file of at least 100 ordinary prompts")
    text("--kind", help="what these prompts are, in the plural: captions, song titles, ...")
    text("--like", type=pattern, help="regular expression of a whole prompt of that kind")
    text("--scale", type=float, help="of plain guidance (default: the model's own)")
    add_options(sub, "model", *PATH, "signals")


def calibrate(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the bands and keep them."""
    extra = tuple(part.strip() for part in args.signals.split(",") if part.strip())
    check(extra)
    ComparisonRequest(["calibration"], **{name: getattr(args, name) for name in PATH})
    if extra:
        say(f"Costs {price(extra)}.")
    asked = controls(args)
    from memviz import resources
    from memviz.detection import calibrate as detection_calibrate

    model = resources.load_model(args.model, args.dtype)
    run = (args.scheduler, args.steps, args.scale, extra, say)
    grid = {"spacing": args.spacing, "size": args.size}
    return {
        "bands": [
            detection_calibrate.calibrate(model, prompts, *run, **kind, **grid)
            for kind, prompts in asked
        ]
    }


def pattern(text: str) -> str:
    """A regular expression as it was given."""
    try:
        re.compile(text)
    except re.error as problem:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {problem}") from None
    return text


def controls(args: argparse.Namespace) -> list[tuple[dict[str, Any], list[str]]]:
    """Kinds of prompts with the prompts of each: the file's, less what is labelled memorized.

    Without a file the demo has fresh captions, titles and plain ones apart.
    """
    kind = {k: v for k, v in (("kind", args.kind), ("like", args.like)) if v}
    if len(kind) == 1:
        raise InputError("--kind names the prompts that --like is the form of: give both or none.")
    if args.prompts:
        from memviz.data.prompts import read

        return [(kind, [p.text for p in read(args.prompts) if p.label in (None, "ordinary")])]
    if kind or args.model.partition("-")[0] != "demo":
        raise InputError("Name a file of at least 100 ordinary prompts with --prompts.")
    from memviz.demo import control_prompts, scenes

    return [
        ({"kind": name, "like": like}, control_prompts.controls(CONTROLS, style))
        for style, (name, like) in scenes.KINDS.items()
    ]


def as_table(result: dict[str, Any]) -> str:
    """Each signal's band at the first and the last step, kind by kind."""
    return "\n\n".join(map(one, result["bands"]))


def one(made: dict[str, Any]) -> str:
    """The band of one kind of prompts."""
    rows = [
        (name, *(f"{band[side][i]:.4g}" for i in (0, -1) for side in ("low", "high")))
        for name, band in made["signals"].items()
    ]
    head = ("signal", "first, 5 %", "first, 95 %", "last, 5 %", "last, 95 %")
    return f"{table(head, rows)}\n\n{made['prompts']} ordinary {made['kind']}\n{made['file']}"


VERB = Verb(
    calibrate,
    as_table,
    options,
)
