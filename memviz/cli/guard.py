"""`python -m memviz guard`."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, say
from memviz.cli.options import MADE, add_options
from memviz.cli.tables import figure, table
from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError
from memviz.guidance.registry import CORE
from memviz.guidance.spec import MethodSpec, make_specs

if TYPE_CHECKING:
    from PIL import Image

    from memviz.models.loading import Model
    from memviz.retrieval.copy_detector import CopyDetector


def options(sub: argparse.ArgumentParser) -> None:
    """The prompt, the methods in their order, and how near is too near."""
    text = sub.add_argument
    text("--prompt", required=True, help="what to show")
    text("--methods", default=",".join(CORE), help="tried in this order (default: %(default)s)")
    text("--seed", type=int, default=0, help="of the noise of all (default: %(default)s)")
    text("--threshold", type=float, metavar="SIMILARITY",
         help="from which a picture is too near (default: the descriptor's copy mark)")  # fmt: skip
    add_options(sub, *MADE)
    text("--out", type=Path, required=True, metavar="DIR", help="the evidence")


def guard(args: argparse.Namespace) -> dict[str, Any]:
    """Try methods until a picture is far enough from all training pictures."""
    asked = ComparisonRequest(
        prompts=(args.prompt,),
        methods=make_specs(args.methods),
        seeds=(args.seed,),
        **{name: getattr(args, name) for name in MADE},
    )
    if (args.out / "guard.json").exists():
        raise InputError(f"--out: {args.out} holds evidence already. Name another folder.")
    from memviz import resources
    from memviz.evaluation.guard import guard_picture, write_attempts

    model = resources.load_model(asked.model, asked.dtype)
    detector = resources.load_detector(asked.corpus, asked.descriptor)
    ways = {method.text: partial(make, asked, model, detector, method) for method in asked.methods}
    about = {
        "prompt": args.prompt,
        "seed": args.seed,
        "model": model.hash,
        "corpus": detector.corpus.hash,
        "descriptor": detector.descriptor.preset.name,
        "threshold": detector.thresholds.copied if args.threshold is None else args.threshold,
    }
    return write_attempts(guard_picture(ways, detector, args.threshold), detector, args.out, about)


def make(
    asked: ComparisonRequest, model: "Model", detector: "CopyDetector", method: MethodSpec
) -> "Image.Image":
    """The picture of one method."""
    from memviz.guidance.model_defaults import own
    from memviz.sampling.generate import generate
    from memviz.sampling.types import Request

    say(method.text)
    guidance = method.resolve(own(model)).guidance
    request = Request(asked.prompts[0], asked.seeds[0], guidance)
    found = generate(
        model,
        [request],
        steps=asked.steps,
        scheduler=asked.scheduler,
        spacing=asked.spacing,
        size=asked.size,
        detector=detector,
        measure=False,
    )
    return next(found).image


def as_table(result: dict[str, Any]) -> str:
    """The attempts, and what came of them."""
    rows = [
        (row["way"], figure(row["similarity"]), "accepted" if row["accepted"] else "too near",
         row["nearest"]["caption"] if row["nearest"] else "")
        for row in result["attempts"]
    ]  # fmt: skip
    lines = table(("method", "similarity", "verdict", "nearest image"), rows)
    end = f"accepted.png is of {result['accepted']}" if result["accepted"] else "No picture"
    return f"{lines}\n\n{end}; too near from {result['threshold']:.2f} on.\n{result['folder']}"


VERB = Verb(guard, as_table, options)
