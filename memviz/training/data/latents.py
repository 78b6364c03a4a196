"""Pictures as latents: resized, cropped, encoded, and kept on disk where nothing varies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from memviz.training.data import cache

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.training.config import Config


RESIZE = {"bicubic": Image.Resampling.BICUBIC, "released": Image.Resampling.BILINEAR}


class Latents:
    """The corpus' pictures for one autoencoder and one size."""

    def __init__(
        self,
        corpus: Corpus,
        vae: Any,  # noqa: ANN401
        config: Config,
        key: str,
        note: cache.Note,
    ) -> None:
        self.corpus, self.vae, self.config = corpus, vae, config
        self.kept: dict[bool, np.ndarray | None] = {False: None, True: None}
        if config.center_crop:
            for mirrored in mirrorings(config):
                name = f"latents-{key}-{config.resolution}{'-mirrored' * mirrored}"
                name += "-bilinear" * (config.resize == "released")
                self.kept[mirrored] = cache.rows(
                    name, len(corpus), lambda a, b, m=mirrored: self.moments(a, b, m), note
                )

    def __call__(self, rows: np.ndarray, mirrored: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Scaled latents (B, C, h, w) of picture numbers; the posterior is sampled if there is one.

        Draws from torch's generator on the CPU, so that every device sees the same noise.
        """
        found = self._kept(rows, mirrored)
        if found is None:
            ids = [self.corpus.ids[row] for row in rows]
            pictures = [self.pixels(self.corpus.image(id), rng) for id in ids]
            found = self.encode(torch.stack(pictures), mirrored)
        mean, *spread = found.float().unbind(1)  # (B, C, h, w) each
        for std in spread:
            mean = mean + std * torch.randn(std.shape).to(std)
        return mean * self.vae.config.scaling_factor

    def moments(self, start: int, stop: int, mirrored: bool) -> np.ndarray:
        """Mean, and standard deviation where the autoencoder has one: (B, 1 or 2, C, h, w)."""
        ids = self.corpus.ids[start:stop]
        pixels = torch.stack([self.pixels(self.corpus.image(id)) for id in ids])
        return self.encode(pixels, np.full(len(ids), mirrored)).float().cpu().numpy()

    def pixels(self, image: Image.Image, rng: np.random.Generator | None = None) -> Tensor:
        """One picture as `crop_square` gives it, in the middle or where `rng` draws."""
        how, varied = RESIZE[self.config.resize], not self.config.center_crop
        return crop_square(image, self.config.resolution, how, rng if varied else None)

    @torch.no_grad()
    def encode(self, pixels: Tensor, mirrored: np.ndarray) -> Tensor:
        """(B, 1 or 2, C, h, w) of pixels (B, 3, H, W), some of them mirrored first."""
        flipped = torch.from_numpy(mirrored)[:, None, None, None]
        pixels = torch.where(flipped, pixels.flip(3), pixels).to(self.vae.device, self.vae.dtype)
        out = self.vae.encode(pixels.contiguous(memory_format=torch.channels_last))
        if hasattr(out, "latents"):  # AutoencoderTiny has no posterior
            return out.latents[:, None]
        return torch.stack([out.latent_dist.mean, out.latent_dist.std], 1)

    def _kept(self, rows: np.ndarray, mirrored: np.ndarray) -> Tensor | None:
        kept = [self.kept[bool(m)] for m in mirrored]
        if any(part is None for part in kept):
            return None
        found = np.stack(
            [part[row] for part, row in zip(kept, rows, strict=True) if part is not None]
        )
        return torch.from_numpy(found).to(self.vae.device)


def crop_square(
    image: Image.Image,
    side: int,
    how: Image.Resampling,
    rng: np.random.Generator | None = None,
) -> Tensor:
    """A picture (3, side, side) in [-1, 1], resized, then cropped in the middle or at random."""
    scale = side / min(image.size)
    size = max(side, round(image.width * scale)), max(side, round(image.height * scale))
    image = image if size == image.size else image.resize(size, how)
    room = np.array(size) - side
    left, top = room // 2 if rng is None else rng.integers(0, room + 1)
    box = image.crop((left, top, left + side, top + side))
    return torch.from_numpy(np.array(box)).permute(2, 0, 1).float() / 127.5 - 1


def draw_mirrored(
    count: int, flip: bool, rng: np.random.Generator, mirror: np.ndarray | None
) -> np.ndarray:
    """(count,) which are mirrored: with `flip` half of them at random, and those of `mirror`."""
    drawn = rng.random(count) < 0.5 * flip
    return drawn if mirror is None else drawn | mirror


def mirrorings(config: Config) -> tuple[bool, ...]:
    """The forms in which pictures are shown."""
    return (False, True) if config.flip or config.mode == "iet-agc+" else (False,)
