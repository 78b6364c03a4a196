"""Previews: `python scripts/benchmark.py preview --json`.

What a cheap decoder of the x0 estimates changes: the same latents at every step of plain guidance
are decoded by the model's own autoencoder and by the preview, and both pictures are looked up.
`similarity_error` is the mean of |preview - own| over all steps, `last_error` that of the last
one, `same_nearest` the share of steps that name the same training image. `decided_shift` are the
steps by which the preview moves the moment from which a copy (a picture whose last estimate passes
the copy mark by the model's own) stays above that mark; None where it never does.
"""

import argparse
from statistics import fmean, median
from typing import Any

import numpy as np

from benchmarks.measure import environment, timed
from memviz import resources
from memviz.data import prompts
from memviz.guidance.model_defaults import own, plain_guidance
from memviz.models.decode import decode
from memviz.models.preview_decoder import OWN, choose_decoder
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.types import Request, Step


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("--model", default="demo", help="a name or a folder (%(default)s)")
    parser.add_argument("--decoder", default="linear", help="as of compare (%(default)s)")
    parser.add_argument("--prompts", type=int, default=16, help="of each group (%(default)s)")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--scheduler", default="ddim")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    model, detector = resources.load_model(args.model), resources.load_detector()
    fitting, preview = timed(lambda: choose_decoder(model, args.decoder))
    groups = prompts.demo()
    texts = [text for name in ("duplicated", "heldout") for text in groups[name][: args.prompts]]
    requests = [Request(text, 0, plain_guidance(own(model))) for text in texts]
    grid = scheduler(model.pipe, args.scheduler, args.steps)
    seconds: dict[str, list[float]] = {OWN: [], preview.kind: []}
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {OWN: [], preview.kind: []}
    for event in sample(model.pipe, requests, grid):
        if isinstance(event, Step):
            for kind, network in ((OWN, None), (preview.kind, preview.network)):
                spent, x = timed(
                    lambda vae=network, step=event: decode(model.pipe, step.x0, vae=vae)
                )
                seconds[kind].append(spent)
                similarity, ids = detector.index.search(detector.embed(x), 1)
                found[kind].append((similarity[:, 0], ids[:, 0]))
    (true, true_ids), (cheap, cheap_ids) = (
        [np.stack(part) for part in zip(*found[kind], strict=True)] for kind in (OWN, preview.kind)
    )  # (steps, pictures) each
    error, mark = np.abs(true - cheap), detector.thresholds.copied
    copies = true[-1] >= mark
    moments = [decided(true[:, i], mark) for i in np.flatnonzero(copies)]
    others = [decided(cheap[:, i], mark) for i in np.flatnonzero(copies)]
    shifts = [
        b - a for a, b in zip(moments, others, strict=True) if a is not None and b is not None
    ]
    return {
        "decoder": preview.kind,
        "fit_seconds": fitting,
        "similarity_error": float(error.mean()),
        "similarity_error_95": float(np.quantile(error, 0.95)),
        "last_error": float(error[-1].mean()),
        "correlation": float(np.corrcoef(true.ravel(), cheap.ravel())[0, 1]),
        "same_nearest": float((true_ids == cheap_ids).mean()),
        "copies": int(copies.sum()),
        "copies_missed": sum(b is None for b in others),
        "decided_shift": {"median": median(shifts), "mean": fmean(shifts)} if shifts else None,
        "by_step": {
            OWN: [round(float(v), 4) for v in true[:, copies].mean(1)],
            preview.kind: [round(float(v), 4) for v in cheap[:, copies].mean(1)],
        },
        "decode_seconds": {kind: median(values) for kind, values in seconds.items()},
        "asked": {"prompts": len(texts), "seed": 0, "steps": args.steps}
        | {"scheduler": args.scheduler},
        "environment": environment(model),
    }


def decided(values: np.ndarray, mark: float) -> int | None:
    """The step from which all values pass the mark, if they do at the end."""
    below = np.flatnonzero(values < mark)
    step = int(below[-1]) + 1 if len(below) else 0
    return step if step < len(values) else None


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    spent = ", ".join(f"{k} {1000 * v:.1f} ms" for k, v in result["decode_seconds"].items())
    return (
        f"similarity by {result['decoder']} against the model's own autoencoder: mean difference "
        f"{result['similarity_error']:.3f}, 95 % within {result['similarity_error_95']:.3f}, "
        f"last step {result['last_error']:.3f}; same nearest image {result['same_nearest']:.1%}\n"
        f"{result['copies']} copies, {result['copies_missed']} missed at the last step; decided "
        f"later by {result['decided_shift']} steps\ndecoding a step: {spent}\n"
        f"{result['environment']}"
    )
