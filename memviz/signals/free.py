"""Per-step signals: pure functions of the two predictions, the latents and the x0 estimates.

Tensors are (B, C, h, w) of any float type, results are (B,) in float32. Predictions are in epsilon
units, but those of the magnitude, which is taken of the network's own output, as the released code
of Wen et al. does (ICLR 2024, https://arxiv.org/abs/2407.21720): of a v-prediction model epsilon is
sqrt(alpha_bar) v + ..., which takes the early steps out of it and so all that tells copies apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize


def measure(
    outputs: tuple[Tensor, Tensor],
    epsilons: tuple[Tensor, Tensor],
    x0: Tensor,
    x: Tensor,
    groups: Sequence[int],
) -> dict[str, Tensor]:
    """The columns of a step at latents x that are known before it is taken.

    `outputs` are the unconditional and the conditional prediction as the network gives them,
    `epsilons` the same in epsilon units; `x0` is the estimate of the conditional prediction;
    `groups` as in `agreement`.
    """
    uncond, cond = epsilons
    difference = cond.float() - uncond.float()
    size = magnitude(*outputs)
    return {
        "magnitude": size,
        "magnitude_epsilon": norm(difference),
        "magnitude_unit": size / difference[0].numel() ** 0.5,
        "cosine": alignment_cosine(uncond, cond),
        "one_step": one_step(x0, x),
        "agreement": agreement(difference, groups),
    }


def measure_change(
    x: Tensor, after: Tensor, x0_before: Tensor | None, x0: Tensor
) -> dict[str, Tensor]:
    """The columns of a step from x to `after`: x0_change is NaN at the first."""
    first = torch.full((len(x),), torch.nan)
    return {
        "latent_change": turn(x, after),
        "step_size": shift(x, after),
        "x0_change": first if x0_before is None else shift(x0_before, x0),
    }


def to_lists(columns: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Columns as plain numbers, one per row (of `attention` a list per row)."""
    values: dict[str, Any] = {name: column.tolist() for name, column in columns.items()}  # pyright: ignore[reportUnknownMemberType]
    return values


def norm(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, in float32 whatever the model computes in."""
    return cast(Tensor, x.float().flatten(1).norm(dim=1))  # pyright: ignore[reportUnknownMemberType]


def magnitude(uncond: Tensor, cond: Tensor) -> Tensor:
    """The norm of the difference of two predictions (Wen et al.); 0 or more."""
    return norm(cond.float() - uncond.float())


def alignment_cosine(uncond: Tensor, cond: Tensor) -> Tensor:
    """Cosine over channels of the noise difference and eps_uncond, a mean over space; -1 to 1.

    High at the noisy end for memorized prompts (Asthana et al., https://arxiv.org/abs/2601.20642).
    """
    return cosine_similarity(cond.float() - uncond.float(), uncond.float(), dim=1).mean((1, 2))


def turn(before: Tensor, after: Tensor) -> Tensor:
    """1 - cosine of successive latents: how far a step turned the sample; 0 to 2."""
    return 1 - cosine_similarity(before.float().flatten(1), after.float().flatten(1))


def shift(before: Tensor, after: Tensor) -> Tensor:
    """Norm of the change from one latent to the next, or one x0 estimate; 0 or more."""
    return norm(after.float() - before.float())


def one_step(x0: Tensor, noise: Tensor) -> Tensor:
    """Mean squared distance of the one-step x0 estimate from the noise that it came from.

    Webster's score at the first step (https://arxiv.org/abs/2305.08694).
    """
    return (x0.float() - noise.float()).square().flatten(1).mean(1)


def agreement(difference: Tensor, groups: Sequence[int]) -> Tensor:
    """Mean cosine of a noise difference with those of the others of its group; NaN where alone.

    Rows of a group are seeds of one prompt: memorized prompts pull all seeds one way (after
    Hintersdorf et al., NeMo, 2024). Their measure is MS-SSIM with windows of 11 at three scales,
    ranged by the batch: it has no value for latents smaller than 44, and another in another batch.
    """
    unit = normalize(difference.float().flatten(1), dim=1)
    same = torch.tensor(groups, device=difference.device)
    others = (same[:, None] == same[None]) & ~torch.eye(len(same), dtype=torch.bool).to(same.device)
    total = (unit @ unit.T * others).sum(1)
    return total / others.sum(1)  # 0 / 0 is NaN
