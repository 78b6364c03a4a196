"""How many rows go through a network at once: what fits a budget, less where memory ran out.

The rows' intermediate results are what takes the memory. Their peak was computed operation by
operation for the networks of Stable Diffusion 1.4 and 2.1 at 512 and 768 px: in numbers for each
latent 26 times the channels of the UNet's first level (130 MiB a row at 512 px in float32), for
each pixel 6 times those of an autoencoder's last one (768 MiB a picture), 3 times TAESD's (192).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

BUDGET = 5 * 2**30  # bytes of intermediate results at once
MOST = 64  # rows: more gain nothing
UNET, DECODER = 26, 6  # numbers at the peak, in channels of the level at full size

Rows = TypeVar("Rows", Tensor, Sequence[Any])
Result = TypeVar("Result")


@dataclass
class Chunks:
    """Rows at a time; halved for good when memory runs out."""

    limit: int = MOST

    def run(
        self, call: Callable[[Rows], Result], rows: Rows, fit: int = MOST
    ) -> Iterator[tuple[Rows, Result]]:
        """Parts of the rows, `fit` or fewer each, with what `call` made of them."""
        done = 0
        while done < len(rows):
            part: Any = rows[done : done + min(self.limit, fit)]
            try:
                result = call(part)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self.limit = len(part) // 2
                torch.cuda.empty_cache()
                continue
            yield part, result
            done += len(part)


def count_rows(per_pixel: float, pixels: int, dtype: torch.dtype) -> int:
    """The rows that fit the budget at so many numbers for each of a row's pixels; 1 or more."""
    return max(1, int(BUDGET / (per_pixel * pixels * dtype.itemsize)))


def count_unet_rows(unet: Any, latents: Tensor, dtype: torch.dtype) -> int:  # noqa: ANN401
    """Those of a UNet on latents (B, C, h, w); of a transformer by its width, alike."""
    widths = getattr(unet.config, "block_out_channels", None)
    channels = widths[0] if widths else unet.config.caption_projection_dim
    return count_rows(UNET * channels, latents[0, 0].numel(), dtype)


def count_decoder_rows(vae: Any, latents: Tensor, factor: int) -> int:  # noqa: ANN401
    """Those of an autoencoder of diffusers that makes `factor` pixels of a latent's side."""
    tiny = getattr(vae.config, "decoder_block_out_channels", None)
    channels = (tiny or vae.config.block_out_channels)[0]
    return count_rows(DECODER * channels, latents[0, 0].numel() * factor**2, latents.dtype)
