"""The command line: `python -m memviz VERB`. Heavy imports stand in the verbs that need them.

Results go to stdout, progress and errors to stderr. A mistake in what was asked is one sentence
and exit code 2.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from memviz import tables
from memviz.ask import SCHEDULERS, Ask
from memviz.methods import METHODS

CELL = (
    *("prompt", "method", "seed", "similarity", "match", "verdict", "prompt_signal"),
    *("transition_step", "transition_timestep", "alignment", "image"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    args = parser().parse_args(argv)
    for library in ("TRANSFORMERS", "DIFFUSERS"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")  # errors are ours to tell
    try:
        with redirect_stdout(sys.stderr):  # no library may write into the result
            result = args.verb(args)
    except (ValueError, OSError) as error:
        return complain(str(error), 2)
    except KeyboardInterrupt:
        return complain("Stopped.", 130)
    print(json.dumps(result, indent=1, ensure_ascii=False) if args.json else args.table(result))
    return 0


def complain(sentence: str, code: int) -> int:
    """A mistake, in one line on stderr."""
    print(" ".join(sentence.split()), file=sys.stderr)
    return code


class Wide(argparse.HelpFormatter):
    """A verb and what it does on one line."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=100)


class Parser(argparse.ArgumentParser):
    """Argparse, with mistakes as one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say it and leave."""
        self.exit(complain(f"{message}. See `{self.prog} --help`.", 2))


def parser() -> Parser:
    """All verbs and their options."""
    about = "See a diffusion model copy its training data, and avoid it."
    top = Parser("python -m memviz", description=about, formatter_class=Wide)
    verbs = top.add_subparsers(metavar="VERB [options]", required=True)
    for name, verb in VERBS.items():
        sub = verbs.add_parser(name, help=verb.about, description=verb.about, formatter_class=Wide)
        sub.add_argument("--json", action="store_true", help="print one JSON value")
        sub.set_defaults(verb=verb.run, table=verb.table)
        verb.options(sub)
    return top


def compare_options(sub: argparse.ArgumentParser) -> None:
    """What an `Ask` takes, and where the run goes."""
    text = sub.add_argument
    text("--prompt", action="append", required=True, help="what to show; may be given repeatedly")
    text("--methods", default=",".join(METHODS), help="as cfg:scale=7.5,stp:early=0,at=500")
    text("--seeds", default="0", help="whole numbers, as 0,1,2,3")
    text("--steps", type=int, default=Ask.steps, help="denoising steps (default: %(default)s)")
    text("--scheduler", default=Ask.scheduler, help=f"{', '.join(SCHEDULERS)} (%(default)s)")
    text("--model", default=Ask.model, help="a name, a folder, owner/name or PIPE+UNET")
    text("--corpus", help=f"training images to look through (default: {Ask.corpus})")
    text("--descriptor", default=Ask.descriptor, help="how pictures are compared (%(default)s)")
    text("--out", type=Path, metavar="DIR", help="write the run folder here")


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """Make all cells; what the run's folder says at the end."""
    ask = asked(args)
    folder = args.out and fresh(args.out)
    from memviz import runs
    from memviz.compare import compare

    if args.corpus is None and ask.model.partition("-")[0] != "demo":
        complain("Looking through the demo corpus; name your training images with --corpus.", 0)
    with closing(compare(ask, folder)) as progress:
        for step in watched(progress, ask.steps):
            made = step.run.folder
    return summary(made, runs.open_folder(made).info)


def asked(args: argparse.Namespace) -> Ask:
    """The comparison to make, checked before torch is imported."""
    return Ask(
        prompts=tuple(args.prompt),
        methods=tuple(split_methods(args.methods)),
        seeds=tuple(whole_numbers(args.seeds)),
        steps=args.steps,
        scheduler=args.scheduler,
        model=args.model,
        corpus=Ask.corpus if args.corpus is None else args.corpus,
        descriptor=args.descriptor,
    )


def split_methods(text: str) -> list[str]:
    """`cfg,stp:early=0,at=500` to its methods: a part that names a method starts a new one."""
    found: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        key, colon, _ = part.partition(":")
        if colon or key in METHODS or not found or ":" not in found[-1]:
            found.append(part)
        else:
            found[-1] += f",{part}"
    return found


def whole_numbers(text: str) -> list[int]:
    """`0,1,2` to numbers."""
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"--seeds is {text!r}. Give whole numbers, as 0,1,2,3.") from None


def fresh(folder: Path) -> Path:
    """A folder that holds no run yet."""
    if (folder / "run.json").exists():
        raise ValueError(f"--out: {folder} holds a run already. Name another folder.")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out: {folder} is a file. Name a folder.")
    return folder


def watched(progress: Iterable[Any], steps: int) -> Iterable[Any]:
    """The same, with a bar on stderr."""
    from tqdm import tqdm

    pause = 0.1 if sys.stderr.isatty() else 5.0  # seconds: a log file wants few lines
    with tqdm(total=steps, unit="step", file=sys.stderr, mininterval=pause) as bar:
        for step in progress:
            bar.total = step.steps
            bar.update(step.step - bar.n)
            yield step


def summary(folder: Path, info: dict[str, Any]) -> dict[str, Any]:
    """A run in the words of the command line; pictures as full paths."""
    asked = info["asked"]
    return {
        "run": info["id"],
        "folder": str(folder.resolve()),
        "model": info["model"],
        "steps": asked["steps"],
        "scheduler": asked["scheduler"],
        "corpus": info["corpus"],
        "descriptor": info["descriptor"],
        "noise_hash": info["noise_hash"],
        "unet_evaluations": info["unet_evaluations"],
        "seconds": info["seconds"],
        "cells": [cell_summary(folder, cell) for cell in info["cells"]],
    }


def cell_summary(folder: Path, cell: dict[str, Any]) -> dict[str, Any]:
    """One cell."""
    found = {name: cell.get(name) for name in CELL}
    match = cell.get("match")
    found["spec"] = cell["spec"]
    found["match"] = match and {name: match[name] for name in ("id", "caption")}
    found["image"] = str((folder / cell["image"]).resolve())
    return found


def no_options(sub: argparse.ArgumentParser) -> None:
    """Nothing beyond --json."""


def models(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The known models."""
    from memviz.models import known

    return known()


def demo_report(args: argparse.Namespace) -> dict[str, Any]:
    """Measure the demo world again."""
    from memviz.demo.report import report

    return report(lambda words: print(words, file=sys.stderr, flush=True))


def runs(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The runs kept on this machine, then the bundled ones."""
    from memviz import runs

    kept = [("kept", run) for run in runs.listed()]
    return [run_summary(*pair) for pair in [*kept, *(("bundled", r) for r in runs.bundled())]]


def run_summary(where: str, run: Any) -> dict[str, Any]:  # noqa: ANN401 - runs.Run
    """One run, without its cells."""
    names = ("id", "state", "created", "title")
    found = {name: run.info.get(name) for name in names}
    return found | {"where": where, "cells": len(run.info["cells"]), "folder": str(run.folder)}


@dataclass(frozen=True)
class Verb:
    """A line of the help: what it does, its options, and its result as text."""

    about: str
    run: Callable[[argparse.Namespace], Any]
    table: Callable[[Any], str]
    options: Callable[[argparse.ArgumentParser], None] = no_options


VERBS = {
    "compare": Verb(
        "make one prompt with several methods and seeds, and say which pictures are copies",
        compare,
        tables.compare,
        compare_options,
    ),
    "models": Verb("list the models that can be named", models, tables.models),
    "runs": Verb("list the runs kept on this machine and the bundled ones", runs, tables.runs),
    "demo-report": Verb(
        "measure how the bundled demo model copies, in a few minutes", demo_report, tables.report
    ),
}
