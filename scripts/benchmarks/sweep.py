"""Sweeps: `python scripts/benchmark.py sweep --json`.

`sweep_vs_separate`: ten transition points in one go, whose branches share every evaluation until
they part, over ten separate runs, each of which is one batch of all seeds. Both sides are measured
in turn, so that a busy machine slows both; figures are medians. The pictures must be the same.
"""

import argparse
from statistics import median
from typing import Any

import torch

from benchmarks.compare import PROMPT, last
from benchmarks.measure import environment, timed
from memviz import resources
from memviz.comparison import sweep
from memviz.guidance.model_defaults import own
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.types import Request

VALUES = "50:950:100"
SEEDS = (0, 1)
GOAL = 0.60


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("--model", default="demo", help="a name or a folder (%(default)s)")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--values", default=VALUES, help="transition timesteps (%(default)s)")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--scheduler", default="ddim")
    parser.add_argument("--repeats", type=int, default=3, help="at least (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    model = resources.load_model(args.model)
    values = sweep.parse_values(args.values)
    ask = sweep.request_sweep(
        args.prompt, {"at": values}, SEEDS, steps=args.steps, scheduler=args.scheduler
    )
    cells = [Request(p, s, g) for p, _, g, s in ask.cells(own(model))]
    branches = [
        [r for r in cells if r.guidance == g] for g in dict.fromkeys(r.guidance for r in cells)
    ]

    def run(requests: list[Request]) -> Any:  # noqa: ANN401 - the last Step
        return last(sample(model.pipe, requests, scheduler(model.pipe, args.scheduler, args.steps)))

    together, separate, furthest, calls = [], [], 0.0, {}
    for round_ in range(args.repeats + 1):
        seconds, one = timed(lambda: run([r for branch in branches for r in branch]))
        others, parts = timed(lambda: [run(branch) for branch in branches])
        if round_:
            together.append(seconds)
            separate.append(others)
        rows = torch.cat([part.latents for part in parts])
        furthest = max(furthest, float((rows - one.latents).abs().max()))
        calls = {"together": one.evaluations, "separate": sum(p.evaluations for p in parts)}
    return {
        "sweep_vs_separate": median(together) / median(separate),
        "unet_evaluations": calls,
        "evaluations_vs_separate": calls["together"] / calls["separate"],
        "seconds": {"together": together, "separate": separate},
        "largest_difference": furthest,
        "goals": {"sweep_vs_separate": GOAL, "largest_difference": 1e-4},
        "asked": {"values": values, "seeds": SEEDS, "steps": args.steps,
                  "scheduler": args.scheduler, "repeats": args.repeats},
        "environment": environment(model),
    }  # fmt: skip


def lines(result: dict[str, Any]) -> str:
    """For people."""
    calls = result["unet_evaluations"]
    return (
        f"sweep / separate runs: {result['sweep_vs_separate']:.3f} (goal {GOAL:.2f})\n"
        f"network evaluations: {calls['together']} against {calls['separate']}\n"
        f"largest difference of the latents: {result['largest_difference']:.1e}"
    )
