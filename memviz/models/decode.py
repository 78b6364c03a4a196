"""Latents to pictures: decoded, brought to eight bits, made into tiles."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from memviz.models.chunks import Chunks, count_decoder_rows

BATCH = 16  # latents decoded together


@torch.inference_mode()
def decode(
    pipe: Any,  # noqa: ANN401
    latents: torch.Tensor,
    vae: Any = None,  # noqa: ANN401
) -> torch.Tensor:
    """Pictures (B, 3, H, W) in [-1, 1], float32, of scaled latents (B, C, h, w).

    By the pipeline's own autoencoder, or another for the same latents (see `decoder`).
    """
    vae = vae or pipe.vae
    dtype = next(vae.parameters()).dtype  # `vae.dtype` walks all of them
    shift = getattr(vae.config, "shift_factor", None) or 0
    z = latents.to(dtype) / vae.config.scaling_factor + shift
    fit = min(BATCH, count_decoder_rows(vae, z, pipe.vae_scale_factor))
    found = Chunks().run(lambda part: vae.decode(part, return_dict=False)[0].float(), z, fit)
    return torch.cat([pictures for _, pictures in found]).clamp_(-1, 1)


def pictures(x: torch.Tensor) -> list[Image.Image]:
    """Decoded pictures as 8-bit RGB."""
    return [Image.fromarray(v) for v in eight_bits(x)]


def tiles(x: torch.Tensor, side: int) -> np.ndarray:
    """Decoded pictures at most `side` pixels wide as uint8 (B, h, w, 3), for the sheets."""
    return eight_bits(x if x.shape[-1] <= side else interpolate(x, (side, side), mode="area"))


def eight_bits(x: torch.Tensor) -> np.ndarray:
    """Pictures (B, 3, H, W) in [-1, 1] as uint8 (B, H, W, 3), as they are saved."""
    # in place after the first: memory for a new tensor costs more than the sum
    values = x.clamp(-1, 1).add_(1).mul_(127.5).round_().byte()
    return values.permute(0, 2, 3, 1).contiguous().numpy(force=True)
