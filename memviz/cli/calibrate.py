"""`python -m memviz calibrate`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.ask import SCHEDULERS, Ask
from memviz.cli.tables import table
from memviz.cli.verb import Verb, say
from memviz.instruments import COSTLY, check, price

CONTROLS = 112  # fresh captions for the demo


def options(sub: argparse.ArgumentParser) -> None:
    """What the band shall hold for."""
    text = sub.add_argument
    text("--model", default=Ask.model, help="a name, a folder, owner/name or PIPE+UNET")
    text("--prompts", type=Path, help="a file of at least 100 ordinary prompts")
    text("--steps", type=int, default=Ask.steps, help="denoising steps (default: %(default)s)")
    text("--scheduler", default=Ask.scheduler, help=f"{', '.join(SCHEDULERS)} (%(default)s)")
    text("--scale", type=float, help="of plain guidance (default: the model's own)")
    text("--signals", default="", help=f"costly ones as well: {', '.join(COSTLY)}")


def calibrate(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the bands and keep them."""
    extra = tuple(part.strip() for part in args.signals.split(",") if part.strip())
    check(extra)
    Ask(["calibration"], steps=args.steps, scheduler=args.scheduler)
    if extra:
        say(f"Costs {price(extra)}.")
    prompts = controls(args)
    from memviz import bands, studio

    return bands.calibrate(
        studio.model(args.model), prompts, args.scheduler, args.steps, args.scale, extra, say
    )


def controls(args: argparse.Namespace) -> list[str]:
    """The prompts of the file, less what is labelled memorized; for the demo, fresh captions."""
    if args.prompts:
        from memviz.prompts import read

        return [p.text for p in read(args.prompts) if p.label in (None, "ordinary")]
    if args.model.partition("-")[0] != "demo":
        raise ValueError("Name a file of at least 100 ordinary prompts with --prompts.")
    from memviz.demo.controls import controls

    return controls(CONTROLS)


def as_table(result: dict[str, Any]) -> str:
    """Each signal's band at the first and the last step."""
    rows = [
        (name, *(f"{band[side][i]:.4g}" for i in (0, -1) for side in ("low", "high")))
        for name, band in result["signals"].items()
    ]
    head = ("signal", "first, 5 %", "first, 95 %", "last, 5 %", "last, 95 %")
    return f"{table(head, rows)}\n\n{result['prompts']} prompts\n{result['file']}"


VERB = Verb(
    "measure between which values every signal lies for ordinary prompts",
    calibrate,
    as_table,
    options,
)
