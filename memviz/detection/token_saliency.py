"""Which words did it? The gradient of the magnitude by each token's embedding, at the first step.

Wen et al., ICLR 2024, https://arxiv.org/abs/2407.21720: the norm of the gradient of
||f_cond - f_uncond||, f the network's own output, by a token's embedding says how much that token
adds to it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Word:
    """A word of the prompt and its most salient token's saliency, as a share of the highest."""

    text: str
    saliency: float


def tokens(pipe: Any, scheduler: Any, prompt: str, seed: int = 0) -> "torch.Tensor":  # noqa: ANN401
    """(L,) the norm of the gradient by each token's embedding, float32."""
    import torch

    from memviz.models.denoiser import Denoiser
    from memviz.sampling.noise import noise

    denoiser, t = Denoiser(pipe), scheduler.timesteps[0]
    x = noise(pipe, [seed]).to(pipe.device) * scheduler.init_noise_sigma
    x = scheduler.scale_model_input(x, t)
    with torch.no_grad():
        empty, own = denoiser.encode(["", prompt])
        low = denoiser.predict(x, t, [empty]).float()
    text = own.embedding.detach().clone()[None].float().requires_grad_()
    with torch.enable_grad():
        full = denoiser.predict(x, t, [own], text).float()
        slope = denoiser.gradient((full - low).flatten(1).norm(dim=1), text)
    return slope[0].norm(dim=1)


def words(pipe: Any, scheduler: Any, prompt: str, seed: int = 0) -> list[Word]:  # noqa: ANN401
    """The prompt's words with the saliency of their tokens; the highest is 1."""
    values = tokens(pipe, scheduler, prompt, seed).tolist()
    found, start, longest = [], 1, pipe.tokenizer.model_max_length - 1
    for word in prompt.split():
        end = start + len(pipe.tokenizer(word, add_special_tokens=False).input_ids)
        own = values[start : min(end, longest)]
        found.append((word, max(own, default=0.0)))
        start = end
    top = max((v for _, v in found), default=0.0) or 1.0
    return [Word(word, round(value / top, 4)) for word, value in found]
