"""`python -m memviz detect`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.options import PATH, add_options
from memviz.cli.tables import table
from memviz.comparison.request import ComparisonRequest
from memviz.number_lists import parse_ints


def options(sub: argparse.ArgumentParser) -> None:
    """The prompts, and which readings of the score are wanted."""
    text = sub.add_argument
    text("prompts", type=Path, help="text, jsonl, csv, parquet, or json of groups; labels if any")
    text("--steps-used", default="1,5,all", help="first steps of a score (default: %(default)s)")
    text("--images", default="1,4", help="pictures of each prompt (default: %(default)s)")
    text(
        "--two-pass",
        action="store_true",
        help="add a score of pure noise: two pairs of evaluations a prompt and seed",
    )
    text(
        "--weights",
        default="",
        help="of its norm and its cosine, as 1,2 (default: the model's published)",
    )
    add_options(sub, "model", *PATH)


def detect(args: argparse.Namespace) -> dict[str, Any]:
    """Score all prompts."""
    from memviz.data.prompts import read

    prompts = read(args.prompts)
    used = parse_ints(args.steps_used, "--steps-used", words={"all": 0})
    images = parse_ints(args.images, "--images")
    path = {name: getattr(args, name) for name in PATH}
    ComparisonRequest(["detection"], **path)
    from memviz.detection.scores import Detection, detect

    asked = Detection(prompts, args.model, used=used, images=images, **path)
    if not args.two_pass:
        return detect(asked, say)
    from memviz.detection import two_pass

    weights = two_pass.choose_weights(args.model, args.weights)
    return two_pass.add_score(detect(asked, say), asked, weights)


def as_table(result: dict[str, Any]) -> str:
    """The prompts by their first score, and how well each reading tells."""
    names = list(result["readings"])
    ranked = sorted(result["prompts"], key=lambda p: -p["scores"][names[0]])
    rows = [
        (*(f"{p['scores'][n]:.3f}" for n in names), p["label"] or "-", p["verdict"], p["prompt"])
        for p in ranked
    ]
    text = table((*names, "label", "verdict", "prompt"), rows)
    told = {n: r for n, r in result["readings"].items() if r}
    if told:
        lines = [
            (n, f"{r['auc']:.4f}", span(r["auc_interval"]), f"{r['tpr_at_1_fpr']:.3f}",
             span(r["tpr_at_1_fpr_interval"]), f"{r['tpr_nearest_1_fpr']:.3f}",
             f"{r['hard']['auc']:.4f}" if r["hard"] else "-")
            for n, r in told.items()
        ]  # fmt: skip
        head = ("reading", "AUC", "95 %", "TPR, FPR < 1 %", "95 %", "TPR nearest 1 %", "AUC hard")
        text += f"\n\n{table(head, lines)}"
    return f"{text}\n\n{result['band']}"


def span(pair: list[float]) -> str:
    """An interval."""
    return f"{pair[0]:.3f} to {pair[1]:.3f}"


VERB = Verb(
    detect,
    as_table,
    options,
)
