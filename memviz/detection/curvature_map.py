"""Where in a picture is the copy? The squared difference of two scores near the end, by pixel.

Curvature map of ICML 2026 (Gwangho99/mem-curv-diff): ||s_c - s_u||^2 over channels at step 49 of
50, s = -eps / sigma. Instead of the empty prompt the score of a less trained model can be the
baseline, such as an earlier checkpoint of a fine-tuning, so that unconditional and distilled models
have a map, too. Scored as there: log1p, stretched to 0..1, 101 thresholds against a mask of what
was copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from memviz.errors import InputError
from memviz.models import schedulers
from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel
from memviz.models.loading import Model
from memviz.sampling.generate import denoise
from memviz.sampling.types import Request

THRESHOLDS = 101


@dataclass(frozen=True)
class Localization:
    """How well a map finds a mask: the best over all thresholds, each in 0..1."""

    iou: float
    mean_iou: float  # of copied and other pixels
    accuracy: float


def curvature(difference: Tensor, alpha: float) -> Tensor:
    """(B, h, w) >= 0 of a difference of epsilons (B, C, h, w) at alpha-bar: its squared score."""
    return difference.float().square().sum(1) / (1 - alpha)


@torch.inference_mode()
def make_maps(
    model: Model,
    requests: Sequence[Request],
    steps: int = 50,
    scheduler: str = "ddim",
    baseline: Model | None = None,
) -> Tensor:
    """(B, h, w) of the pictures' last step but one, against the empty prompt or a baseline model.

    The two evaluations of that step are made once more. Raises InputError for less than three
    steps, or a baseline that predicts something else or has other latents.
    """
    grid = schedulers.scheduler(model.pipe, scheduler, steps)
    if len(grid.timesteps) < 3:
        raise InputError(f"{steps} steps are too few for a map. Take at least 3.")
    before = len(grid.timesteps) - 2
    level = NoiseLevel.of(grid, before)
    made = denoise(model, requests, steps=steps, scheduler=scheduler, first=before)
    x = grid.scale_model_input(torch.stack([one.latents for one in made]), level.t)
    texts = [request.prompt for request in requests]
    mine = predict_rows(Denoiser(model.pipe), x, level, texts)
    if baseline is None:
        other = predict_rows(Denoiser(model.pipe), x, level, [""] * len(texts))
    else:
        check_baseline(model, baseline)
        other = predict_rows(Denoiser(baseline.pipe), x, level, texts)
    return curvature(mine - other, level.alpha)


def predict_rows(
    denoiser: Denoiser, x: Tensor, level: NoiseLevel, prompts: Sequence[str]
) -> Tensor:
    """Epsilon (B, C, h, w) of each row under its prompt, float32."""
    pairs: list[tuple[int, Conditioning]] = [*enumerate(denoiser.encode(prompts))]
    found = denoiser(x, level.t, pairs)
    return level.epsilon(torch.stack([found[pair] for pair in pairs]), x).float()


def check_baseline(model: Model, baseline: Model) -> None:
    """Raise InputError unless the two can be held against each other at one noise level."""
    for what, read in (
        ("prediction type", lambda m: m.pipe.scheduler.config.prediction_type),
        ("size of the latents", lambda m: (m.pipe.unet.config.in_channels,
                                           m.pipe.unet.config.sample_size)),
    ):  # fmt: skip
        if read(model) != read(baseline):
            raise InputError(
                f"{baseline.name} has another {what} than {model.name}. Take an earlier checkpoint "
                "of the same model."
            )


def score_map(values: np.ndarray, mask: np.ndarray) -> Localization:
    """How well a map (h, w) finds a mask (h, w) of bools, at its best threshold for each figure.

    Raises InputError on other shapes, or a mask in which nothing or everything was copied.
    """
    if values.shape != mask.shape:
        raise InputError(f"The map is {values.shape} and the mask {mask.shape}. Bring them to one.")
    if mask.all() or not mask.any():
        raise InputError(
            "The mask is the same everywhere. Give one with a copied part and another."
        )
    stretched = np.log1p(values.astype(np.float64))
    low, high = stretched.min(), stretched.max()
    stretched = (stretched - low) / (high - low) if high > low else np.zeros_like(stretched)
    best = Localization(0.0, 0.0, 0.0)
    for threshold in np.linspace(0, 1, THRESHOLDS):
        found = stretched >= threshold
        iou, other = overlap(found, mask), overlap(~found, ~mask)
        best = Localization(
            max(best.iou, iou),
            max(best.mean_iou, (iou + other) / 2),
            max(best.accuracy, float((found == mask).mean())),
        )
    return best


def overlap(found: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union."""
    union = (found | mask).sum()
    return float((found & mask).sum() / union) if union else 0.0
