"""The demo's autoencoder: a thin AutoencoderTiny, 64x64x3 to 8x8x12 and back."""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from collections.abc import Iterator

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch.nn.functional import mse_loss


def build(width: int = 32, channels: int = 12) -> AutoencoderTiny:
    """An untrained autoencoder with an eightfold smaller side."""
    return AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=(width,) * 4,
        decoder_block_out_channels=(width,) * 4,
        num_encoder_blocks=(0, 1, 4, 3),  # at 8 and 16 pixels a block costs little
        num_decoder_blocks=(6, 8, 2, 1),
        force_upcast=False,
    ).to(memory_format=torch.channels_last)


def pixels(pictures: np.ndarray) -> torch.Tensor:
    """uint8 pictures (B, H, W, 3) as floats (B, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


def reconstruct(vae: AutoencoderTiny, x: torch.Tensor, noise: float) -> torch.Tensor:
    """Encode and decode (B, 3, H, W), with relative Gaussian noise on the latents between."""
    z = vae.encoder(x)
    return vae.decoder(z + noise * z.detach().std() * torch.randn_like(z))


def train(
    vae: AutoencoderTiny, pictures: np.ndarray, steps: int, batch: int, rate: float, seed: int
) -> Iterator[dict]:
    """Minimise the squared error, the rate falling to zero; yields step and loss."""
    rng, device = np.random.default_rng(seed), next(vae.parameters()).device
    torch.manual_seed(seed)
    optimiser = torch.optim.AdamW(vae.parameters(), rate, betas=(0.9, 0.99), weight_decay=0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)
    for step in range(steps):
        x = pixels(pictures[rng.integers(len(pictures), size=batch)]).to(device)
        loss = mse_loss(reconstruct(vae, x, 0.05), x)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        yield {"step": step, "loss": float(loss.detach())}
