"""Pictures without signals: `python scripts/benchmark.py fast --json`.

`throughput_vs_bare`: pictures a second of `denoise(measure=False)`, over those of a bare loop that
puts the same batch with both of its conditions through the UNet, mixes and takes DDIM's step.
`skip_vs_bare` is the same of a method that ignores the prompt until half of the steps are done.
Both sides are measured in turn, so that a busy machine slows both; figures are medians.
"""

import argparse
from statistics import median
from typing import Any

import torch

from benchmarks.measure import environment, timed
from memviz import resources
from memviz.data import prompts
from memviz.guidance.base import Guidance
from memviz.guidance.transition import Constant, TwoPhase
from memviz.models.schedulers import scheduler
from memviz.sampling.generate import denoise
from memviz.sampling.noise import noise
from memviz.sampling.types import Request

GOAL = 0.95
SCALE = 2.0


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("--model", default="demo", help="a name or a folder (%(default)s)")
    parser.add_argument("--batch", type=int, default=32, help="pictures at once (%(default)s)")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5, help="at least (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    model = resources.load_model(args.model)
    known = [text for texts in prompts.demo().values() for text in texts]
    texts = [known[i % len(known)] for i in range(args.batch)]

    def make(guidance: Guidance) -> torch.Tensor:
        asked = [Request(text, seed, guidance) for seed, text in enumerate(texts)]
        made = denoise(model, asked, steps=args.steps, measure=False)
        return torch.stack([path.latents for path in made])

    ways = {
        "bare": lambda: run_bare(model.pipe, texts, args.steps),
        "fast": lambda: make(Constant(SCALE)),
        "skip": lambda: make(TwoPhase(0, SCALE)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    latents: dict[str, torch.Tensor] = {}
    for round_ in range(args.repeats + 1):
        for name, way in ways.items():
            spent, latents[name] = timed(way)
            if round_:
                seconds[name].append(spent)
    ratios = [bare / fast for bare, fast in zip(seconds["bare"], seconds["fast"], strict=True)]
    halves = [bare / skip for bare, skip in zip(seconds["bare"], seconds["skip"], strict=True)]
    return {
        "throughput_vs_bare": median(ratios),
        "skip_vs_bare": median(halves),
        "largest_difference": float((latents["bare"] - latents["fast"]).abs().max()),
        "rounds": seconds,
        "goals": {"throughput_vs_bare": GOAL},
        "asked": {"batch": args.batch, "steps": args.steps, "repeats": args.repeats},
        "environment": environment(model),
    }


@torch.inference_mode()
def run_bare(pipe: Any, texts: list[str], steps: int) -> torch.Tensor:  # noqa: ANN401
    """Nothing but the UNet, the mix and the scheduler."""
    grid = scheduler(pipe, "ddim", steps)
    x = noise(pipe, range(len(texts))).to(pipe.device, pipe.unet.dtype) * grid.init_noise_sigma
    cond, uncond = pipe.encode_prompt(texts, pipe.device, 1, True, [""] * len(texts))
    states = torch.cat([uncond, cond])
    for t in grid.timesteps:
        both = torch.cat([x, x]).contiguous(memory_format=torch.channels_last)
        found = pipe.unet(both, t, encoder_hidden_states=states, return_dict=False)[0]
        low, full = found.chunk(2)
        x = grid.step(low + SCALE * (full - low), t, x, return_dict=False)[0]
    return x


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    return (
        f"throughput of the bare loop reached: {result['throughput_vs_bare']:.3f} (goal {GOAL}), "
        f"{result['skip_vs_bare']:.3f} where half of the steps ignore the prompt\n"
        f"{result['environment']}"
    )
