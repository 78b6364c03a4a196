"""Does a prompt look memorized, from two evaluations of each prediction on pure noise?

Asthana et al., ICLR 2026, https://arxiv.org/abs/2601.20642: g1 ||eps_c - eps_u|| of the starting
noise at the first timestep, plus g2 cos(eps_u, eps_c - eps_u) of the same noise at the third but
last one, a mean over seeds. Nothing is denoised. The weights (g1, g2) were fitted for each model.
The norm is of the network's own output, as the magnitude is everywhere in memviz: of pure noise
epsilon says nothing for a v-prediction model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from memviz import resources
from memviz.detection.scores import Detection, measured
from memviz.errors import InputError
from memviz.models import schedulers
from memviz.models.denoiser import Denoiser, NoiseLevel
from memviz.models.loading import Model
from memviz.sampling.noise import noise

WEIGHTS: Mapping[str, tuple[float, float]] = {
    "sd-1.4": (1.0, 2.0),
    "sd-2.1": (1.0, 0.1),
    "realistic-vision-5.1": (2.0, 1.0),
}
SEEDS = (42, 51, 53)
LATE = -3  # of the timesteps, where the cosine is taken


def choose_weights(model: str, given: str = "") -> tuple[float, float]:
    """Those given, as 1,2, or a model's own by its name. Raises InputError where there are none."""
    if not given and model in WEIGHTS:
        return WEIGHTS[model]
    if not given:
        known = ", ".join(WEIGHTS)
        raise InputError(f"No weights are known for {model}, only for {known}. Give two, as 1,2.")
    try:
        norm, cosine = (float(part) for part in given.split(","))
    except ValueError:
        raise InputError(f"The weights are {given!r}. Give two numbers, as 1,2.") from None
    return norm, cosine


@torch.no_grad()
def score_prompts(
    model: Model,
    prompts: Sequence[str],
    weights: tuple[float, float],
    seeds: Sequence[int] = SEEDS,
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
) -> list[float]:
    """The score of each prompt, high where memorized; four evaluations a prompt and seed."""
    denoiser = Denoiser(model.pipe)
    grid = schedulers.scheduler(model.pipe, scheduler, steps, spacing)
    unet = model.pipe.unet
    x = noise(model.pipe, [*seeds], size).to(model.pipe.device, unet.dtype)
    (empty,) = denoiser.encode([""])
    found: list[float] = []
    for prompt in prompts:
        (own,) = denoiser.encode([prompt])
        pairs = [(i, c) for c in (empty, own) for i in range(len(x))]
        terms: list[torch.Tensor] = []
        for place in (0, len(grid.timesteps) + LATE):
            level = NoiseLevel.of(grid, place)
            made = denoiser(x, level.t, pairs)
            both = torch.stack([made[pair] for pair in pairs])
            if place:
                both = level.epsilon(both, torch.cat([x, x]))
            uncond, cond = both.float().flatten(1).chunk(2)
            terms.append(combine(uncond, cond - uncond, late=place > 0))
        total = weights[0] * terms[0] + weights[1] * terms[1]
        found.append(float(total.mean()))
    return found


def combine(uncond: torch.Tensor, difference: torch.Tensor, late: bool) -> torch.Tensor:
    """(B,) of (B, D): the norm of the difference, or late its cosine with the other."""
    if late:
        return torch.nn.functional.cosine_similarity(uncond, difference, dim=1)
    return difference.norm(dim=1)


def add_score(
    result: Mapping[str, Any], asked: Detection, weights: tuple[float, float]
) -> dict[str, Any]:
    """What `detect` found with this score beside its readings, as `two_pass`."""
    model = resources.load_model(asked.model, asked.dtype)
    texts = [prompt.text for prompt in asked.prompts]
    grid = asked.steps, asked.scheduler, asked.spacing, asked.size
    scores = score_prompts(model, texts, weights, SEEDS, *grid)
    rows = [
        {**row, "scores": row["scores"] | {"two_pass": round(score, 4)}}
        for row, score in zip(result["prompts"], scores, strict=True)
    ]
    readings = result["readings"] | {"two_pass": measured(np.array(scores), asked.prompts)}
    return {**result, "prompts": rows, "readings": readings, "weights": list(weights)}
