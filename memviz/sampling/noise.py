"""Where a row starts: the noise of a seed, the same on any device."""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from memviz.models.protocols import Pipe


def noise(pipe: Pipe, seeds: Sequence[int]) -> Tensor:
    """Starting latents (B, C, h, w): float32 from one CPU generator per seed, on any device."""
    c, side = pipe.unet.config.in_channels, pipe.unet.config.sample_size
    h, w = (side, side) if isinstance(side, int) else side
    draw = {s: torch.randn(c, h, w, generator=torch.Generator().manual_seed(s)) for s in set(seeds)}
    return torch.stack([draw[s] for s in seeds])


def noise_hash(x: Tensor) -> str:
    """The first 16 hex digits of the SHA-256 of one starting noise (C, h, w) in float32."""
    return sha256(x.float().contiguous().numpy().tobytes()).hexdigest()[:16]
