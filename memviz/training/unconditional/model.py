"""The network that learns without captions, as the training loop takes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from memviz.errors import InputError
from memviz.io.paths import expand
from memviz.training.trainable_model import HALF, Trainable
from memviz.training.unconditional.architecture import NEW

if TYPE_CHECKING:
    from memviz.training.config import Config

BETAS = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}


class UnconditionalModel(Trainable):
    """A UNet2DModel in float32 that predicts the noise; `pipe` holds what the loop asks for.

    As `TrainableModel`, with pixels (B, 3, H, W) in [-1, 1] for latents and no text.
    """

    def __init__(self, config: Config, device: str) -> None:
        from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

        if config.lora or config.text_encoder or config.wen_threshold:
            raise InputError(
                "Models without captions have no LoRA, text encoder or prompt to skip by. Leave "
                "--lora, --text-encoder and --wen-threshold out."
            )
        self.config = config
        if config.model in NEW:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(config.seed)
                unet: Any = UNet2DModel(sample_size=config.resolution, **NEW[config.model])
            self.noise: Any = DDPMScheduler(num_train_timesteps=1000, **BETAS)
        else:
            loaded: Any = DDPMPipeline.from_pretrained(expand(config.model), local_files_only=True)
            unet, self.noise = loaded.unet, loaded.scheduler
        unet = unet.to(device, torch.float32, memory_format=torch.channels_last).train()
        unet.requires_grad_(True)
        self.pipe = SimpleNamespace(unet=unet, device=torch.device(device))
        self.weights = list(unet.parameters())
        self.pairs: list[tuple[int, int]] = []  # of a LoRA's factors
        self.scaler = torch.amp.GradScaler(enabled=config.precision == "fp16")

    def losses(self, x: Tensor, text: Tensor, t: Tensor) -> tuple[Tensor, None]:
        """Squared error of each sample (B,); `text` is not looked at."""
        t = t.to(x.device)
        noise = torch.randn(x.shape).to(x)
        noisy = self.noise.add_noise(x, noise, t).contiguous(memory_format=torch.channels_last)
        found = self.predict(noisy, t)
        return mse_loss(found.float(), noise, reduction="none").mean((1, 2, 3)), None

    def predict(self, noisy: Tensor, t: Tensor) -> Tensor:
        """The noise (B, 3, H, W) in the precision asked for."""
        half = HALF.get(self.config.precision)
        with torch.autocast(noisy.device.type, half, enabled=half is not None):
            return self.pipe.unet(noisy, t, return_dict=False)[0]

    @torch.no_grad()
    def draw(self, seed: int, count: int, steps: int) -> Tensor:
        """Pictures (count, 3, H, W) in [0, 1] by DDIM with eta 0, the same noise for a seed.

        x0 is clipped to [-1, 1] at each step. With 50 steps the timesteps are those of the released
        code, 1, 21, … 981.
        """
        from diffusers import DDIMScheduler

        scheduler: Any = DDIMScheduler.from_config(
            self.noise.config, clip_sample=True, steps_offset=1, timestep_spacing="leading"
        )
        scheduler.set_timesteps(steps)
        side = self.config.resolution
        noise = torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))
        x = noise.to(self.pipe.device)
        with evaluation(self.pipe.unet):
            for t in scheduler.timesteps.tolist():
                at = torch.full((count,), t, device=x.device)
                x = scheduler.step(self.predict(x, at).float(), t, x, return_dict=False)[0]
        return (x / 2 + 0.5).clamp(0, 1).cpu()

    def save(self, folder: Any) -> None:  # noqa: ANN401 - a path
        """Write a DDPMPipeline."""
        from diffusers import DDPMPipeline

        DDPMPipeline(self.pipe.unet, self.noise).save_pretrained(folder)


@contextmanager
def evaluation(unet: torch.nn.Module) -> Iterator[None]:
    """A network without dropout, and then with it again."""
    unet.eval()
    try:
        yield
    finally:
        unet.train()
