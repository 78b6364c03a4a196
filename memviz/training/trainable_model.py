"""The network that learns: a pipeline of which some weights are trained, and its losses."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from memviz.errors import InputError
from memviz.models import loading
from memviz.models.network import is_flow, is_wide

if TYPE_CHECKING:
    from memviz.training.config import Config

HALF = {"fp16": torch.float16, "bf16": torch.bfloat16}
LIBRARIES = {"lora": "peft", "eight_bit": "bitsandbytes"}  # of settings that few use
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")


class Trainable:
    """What the training loop moves in any model: `weights`, of which it takes and gives copies."""

    weights: list[torch.nn.Parameter]

    @torch.no_grad()
    def load(self, weights: Sequence[Tensor]) -> None:
        """Put these values into the trained weights."""
        for own, value in zip(self.weights, weights, strict=True):
            own.copy_(value)

    def values(self) -> list[Tensor]:
        """A copy of the trained weights."""
        return [w.detach().clone() for w in self.weights]


class TrainableModel(Trainable):
    """A float32 pipeline; `weights` are the parameters that are trained, in a fixed order.

    `pairs` are the places among them of a LoRA's factors.
    """

    def __init__(self, config: Config, device: str) -> None:
        from diffusers import DDPMScheduler

        installed(config)
        self.config = config
        self.model = loading.load(config.model, device, torch.float32)
        self.pipe = self.model.pipe
        if is_flow(self.pipe) or is_wide(self.pipe):
            raise InputError(
                f"{config.model} is a {type(self.pipe).__name__}; memviz trains a "
                "StableDiffusionPipeline, as Stable Diffusion 1 and 2."
            )
        self.noise: Any = DDPMScheduler.from_config(self.pipe.scheduler.config)
        self.kind = self.noise.config.prediction_type
        self.modules = learning(self.pipe, config)
        named = [(n, p) for m in self.modules for n, p in m.named_parameters() if p.requires_grad]
        self.weights = [weight for _, weight in named]
        self.pairs = pair_factors([name for name, _ in named])
        self.scaler = torch.amp.GradScaler(enabled=config.precision == "fp16")

    def losses(self, x: Tensor, text: Tensor, t: Tensor) -> tuple[Tensor, Tensor | None]:
        """Squared error of each sample (B,), and its prompt's magnitude where that is asked for.

        Latents (B, C, h, w), text (B, L, D), timesteps (B,) on the CPU. The noise is drawn on the
        CPU too, so that it is the same on every device.
        """
        t = t.to(x.device)
        noise = torch.randn(x.shape).to(x)
        noisy = self.noise.add_noise(x, noise, t).contiguous(memory_format=torch.channels_last)
        target = noise if self.kind == "epsilon" else self.noise.get_velocity(x, noise, t)
        found = self.predict(noisy, t, text)
        each = mse_loss(found.float(), target.float(), reduction="none").mean((1, 2, 3))
        return each, self.magnitude(found, noisy, t) if self.config.wen_threshold else None

    def predict(self, noisy: Tensor, t: Tensor, text: Tensor) -> Tensor:
        """The UNet's prediction (B, C, h, w) in the precision asked for."""
        half = HALF.get(self.config.precision)
        with torch.autocast(noisy.device.type, half, enabled=half is not None):
            return self.pipe.unet(noisy, t, text, return_dict=False)[0]

    @torch.no_grad()
    def magnitude(self, found: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        """The norm of what each prompt adds to the UNet's output (B,): one more forward.

        In the model's own units, as the threshold of Wen et al. is.
        """
        empty = self.pipe.encode_prompt([""], noisy.device, 1, False)[0]
        difference = found - self.predict(noisy, t, empty.expand(len(noisy), -1, -1))
        return difference.float().flatten(1).norm(dim=1)

    def freeze(self) -> None:
        """Keep what is not trained in the precision of the forward pass."""
        half = HALF.get(self.config.precision)
        for part in (self.pipe.vae, self.pipe.text_encoder, self.pipe.unet):
            trained = {id(weight) for weight in self.weights}
            for weight in (w for w in part.parameters() if half and id(w) not in trained):
                weight.data = weight.data.to(half)


def installed(config: Config) -> None:
    """ValueError if a library is missing that these settings need."""
    for name, library in LIBRARIES.items():
        if not getattr(config, name):
            continue
        try:
            import_module(library)
        except ImportError:
            raise InputError(
                f"--{name.replace('_', '-')} needs {library}. "
                f"Install it with `pip install {library}`."
            ) from None


def learning(pipe: Any, config: Config) -> list[torch.nn.Module]:  # noqa: ANN401
    """Set the pipeline up to be trained; the modules that are."""
    from diffusers.models.attention_processor import AttnProcessor

    if pipe.device.type == "cpu":  # measured: 1.3 times as fast as the fused one on small latents
        pipe.unet.set_attn_processor(AttnProcessor())
    if config.gradient_checkpointing:
        pipe.unet.enable_gradient_checkpointing()
    if config.lora:
        add_lora(pipe.unet, config)
    else:
        pipe.unet.requires_grad_(True)
    pipe.unet.train()
    pipe.text_encoder.requires_grad_(config.text_encoder).train(config.text_encoder)
    return [pipe.unet, *([pipe.text_encoder] if config.text_encoder else [])]


def pair_factors(names: Sequence[str]) -> list[tuple[int, int]]:
    """The places of a LoRA's factors A and B among the names of weights."""
    place = {name: i for i, name in enumerate(names)}
    return [(i, place[n.replace("lora_A", "lora_B")]) for n, i in place.items() if "lora_A" in n]


def add_lora(unet: Any, config: Config) -> None:  # noqa: ANN401
    """Low-rank matrices on the attention's projections; only they are trained."""
    from peft import LoraConfig

    torch.manual_seed(config.seed)  # they start at random
    shape = {"r": config.lora, "lora_alpha": config.lora, "target_modules": list(ATTENTION)}
    unet.add_adapter(LoraConfig(**shape, init_lora_weights="gaussian"))
