"""Where a row starts: the noise of a seed, the same on any device."""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from memviz.models.files import ModelError
from memviz.models.network import network_of, side_step
from memviz.models.protocols import Pipe


def noise(pipe: Pipe, seeds: Sequence[int], size: int | None = None) -> Tensor:
    """Starting latents (B, C, h, w): float32 from one CPU generator per seed, on any device.

    For pictures of `size` pixels a side, or the model's own. Raises ModelError where it has none.
    """
    c, side = (network_of(pipe).config[name] for name in ("in_channels", "sample_size"))
    h, w = (side, side) if isinstance(side, int) else side
    if size is not None:
        h = w = size // pipe.vae_scale_factor
        if size % (step := side_step(pipe)):
            raise ModelError(
                f"This model's pictures have a multiple of {step} pixels a side, not {size}. "
                "Give another size."
            )
    draw = {s: torch.randn(c, h, w, generator=torch.Generator().manual_seed(s)) for s in set(seeds)}
    return torch.stack([draw[s] for s in seeds])


def own_size(pipe: Pipe) -> int:
    """The pixels a side of the pictures that a model was made for (the width, where not square)."""
    side = network_of(pipe).config.sample_size
    return (side if isinstance(side, int) else side[-1]) * pipe.vae_scale_factor


def noise_hash(x: Tensor) -> str:
    """The first 16 hex digits of the SHA-256 of one starting noise (C, h, w) in float32."""
    return sha256(x.float().contiguous().numpy().tobytes()).hexdigest()[:16]
