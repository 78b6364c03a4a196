"""Per-step signals: pure functions of the two noise predictions, the latents and the x0 estimates.

Predictions are in epsilon units, tensors are (B, C, h, w) of any float type, results are (B,)
in float32. The magnitude is the signal of Wen et al., ICLR 2024, https://arxiv.org/abs/2407.21720.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize


def norm(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, in float32 whatever the model computes in."""
    return x.float().flatten(1).norm(dim=1)


def magnitude(uncond: Tensor, cond: Tensor) -> Tensor:
    """How strongly the prompt pulls: the norm of eps_cond - eps_uncond (Wen et al.); 0 or more."""
    return norm(cond.float() - uncond.float())


def alignment_cosine(uncond: Tensor, cond: Tensor) -> Tensor:
    """Cosine over channels between the pull and eps_uncond, averaged over space; -1 to 1.

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


def agreement(pull: Tensor, groups: Sequence[int]) -> Tensor:
    """Mean cosine of each pull with those of the other rows of its group; NaN where alone.

    Rows of a group are seeds of one prompt: memorized prompts pull all seeds one way (after
    Hintersdorf et al., NeMo, 2024). Their measure is MS-SSIM with windows of 11 at three scales,
    ranged by the batch: it has no value for latents smaller than 44, and another in another batch.
    """
    unit = normalize(pull.float().flatten(1), dim=1)
    same = torch.tensor(groups, device=pull.device)
    others = (same[:, None] == same[None]) & ~torch.eye(len(same), dtype=torch.bool).to(same.device)
    total = (unit @ unit.T * others).sum(1)
    return total / others.sum(1)  # 0 / 0 is NaN
