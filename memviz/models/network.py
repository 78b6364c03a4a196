"""The network that denoises, and what it is told of a prompt: the same three calls for every class.

StableDiffusionPipeline: a UNet that reads one encoder's tokens. StableDiffusionXLPipeline: a UNet
that reads two encoders' tokens, the second one's summary of the prompt, and the picture's size; the
empty prompt is zeros where the pipeline says so. StableDiffusion3Pipeline: a transformer that reads
three encoders' tokens and two summaries, and predicts the velocity of a flow.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from memviz.models.protocols import Pipe


def network_of(pipe: Pipe) -> Any:  # noqa: ANN401 - a UNet or a transformer of diffusers
    """What predicts."""
    made: Any = getattr(pipe, "transformer", None)
    return pipe.unet if made is None else made


def is_flow(pipe: Pipe) -> bool:
    """Whether the network predicts the velocity of a flow, as Stable Diffusion 3's does."""
    return getattr(pipe, "transformer", None) is not None


def is_wide(pipe: Pipe) -> bool:
    """Whether the network also reads a summary of the prompt and the picture's size (SDXL)."""
    return not is_flow(pipe) and getattr(pipe, "text_encoder_2", None) is not None


Text = tuple[Tensor, Tensor | None]


def encode_prompts(pipe: Any, prompts: Sequence[str]) -> list[Text]:  # noqa: ANN401
    """Of each prompt the tokens' embeddings (L, D), and their summary (P,) where there is one."""
    if not is_flow(pipe) and not is_wide(pipe):
        rows = pipe.encode_prompt([*prompts], pipe.device, 1, False)[0]
        return [(row, None) for row in rows]
    more = {"prompt_3": None} if is_flow(pipe) else {}
    found = pipe.encode_prompt(
        prompt=[*prompts],
        prompt_2=None,
        device=pipe.device,
        do_classifier_free_guidance=False,
        **more,
    )
    zeros = is_wide(pipe) and bool(pipe.config.force_zeros_for_empty_prompt)
    keeps = [0.0 if zeros and not prompt else 1.0 for prompt in prompts]
    return [(t * keep, p * keep) for t, p, keep in zip(found[0], found[2], keeps, strict=True)]


def predict(
    pipe: Pipe,
    network: Any,  # noqa: ANN401 - `network_of(pipe)`, or a copy of it
    x: Tensor,
    t: Tensor,
    text: Tensor,
    pooled: Tensor | None,
) -> Tensor:
    """One call of the network, (B, C, h, w): text (B, L, D), pooled (B, P) where it has that."""
    if is_flow(pipe):
        return network(
            hidden_states=x,
            timestep=t.expand(len(x)).to(x.device),
            encoder_hidden_states=text,
            pooled_projections=pooled,
            return_dict=False,
        )[0]
    more: dict[str, Any] = {}
    if is_wide(pipe):
        h, w = (side * pipe.vae_scale_factor for side in x.shape[-2:])
        size = torch.tensor([[h, w, 0, 0, h, w]]).to(text).expand(len(x), -1)
        more["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": size}
    return network(x, t, encoder_hidden_states=text, return_dict=False, **more)[0]


def side_step(pipe: Pipe) -> int:
    """Of what number of pixels the sides of pictures are multiples."""
    return pipe.vae_scale_factor * getattr(network_of(pipe).config, "patch_size", 1)
