"""The demo's UNet: v-prediction on Stable Diffusion's noise schedule, trained from scratch.

`pretrain` teaches UNet and text encoder scenes that are never shown twice; `finetune` goes on
with the corpus, in which the duplicated scenes come up several hundred times as often.
"""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from diffusers.training_utils import EMAModel
from torch.nn.functional import mse_loss

from memviz.demo.precision import mixed
from memviz.io.atomic import written

EMPTY = 0.1  # share of captions left out, so that the model can also predict without one


def build(width: int = 128, channels: int = 12) -> UNet2DConditionModel:
    """An untrained UNet for 8x8 latents."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(80, 128, 160),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width,
        attention_head_dim=32,
        norm_num_groups=16,
    ).to(memory_format=torch.channels_last)


def scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise schedule with v-prediction (as SD 2.1), starting at t = 999."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,  # as Stable Diffusion's; "trailing" does not read it
    )


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    batch: int = 32
    rate: float = 6e-4
    warmup: int = 300
    ema: float = 0.9995
    seed: int = 0
    fast: bool = False  # compiled and mixed: 2.3 times as fast on a CPU with AMX


@dataclass(frozen=True)
class Data:
    """Scaled latents (N, C, h, w), token ids (N, L), and each row's probability of being drawn."""

    latents: torch.Tensor
    ids: torch.Tensor
    chance: np.ndarray | None = None

    @property
    def chances(self) -> np.ndarray:
        """(N,) in full: all alike unless `chance` says otherwise."""
        n = len(self.ids)
        return np.full(n, 1 / n) if self.chance is None else self.chance

    def batch(self, rng: np.random.Generator, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """n rows drawn with replacement."""
        rows = torch.from_numpy(rng.choice(len(self.latents), n, p=self.chance))
        return self.latents[rows], self.ids[rows]


def half_each(a: Data, b: Data) -> Data:
    """Rows of both, each drawn half of the time."""
    latents, ids = torch.cat([a.latents, b.latents]), torch.cat([a.ids, b.ids])
    return Data(latents, ids, np.concatenate([a.chances, b.chances]) / 2)


def loss(unet, text, schedule, x, ids, empty) -> torch.Tensor:  # noqa: ANN001
    """Mean squared error of the predicted velocity, some captions replaced by the empty one."""
    ids = torch.where(torch.rand(len(ids), 1) < EMPTY, empty, ids)
    noise, t = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
    x, ids, noise, t = (v.to(unet.device) for v in (x, ids, noise, t))
    noisy = schedule.add_noise(x, noise, t).contiguous(memory_format=torch.channels_last)
    target = schedule.get_velocity(x, noise, t)
    made = unet(noisy, t, text(ids).last_hidden_state, return_dict=False)[0]
    return mse_loss(made.float(), target)


class Trainer:
    """UNet and text encoder with optimiser, averaged weights and position: all that resumes."""

    def __init__(self, unet, text, plan: Plan, train_text: bool) -> None:  # noqa: ANN001
        self.unet, self.text, self.plan, self.step = unet, text, plan, 0
        self.modules = [unet, text] if train_text else [unet]
        text.requires_grad_(train_text)
        unet.set_attn_processor(AttnProcessor())  # backward: twice as fast as fused on a CPU
        text.set_attn_implementation("eager")
        self.network = torch.compile(unet) if plan.fast else unet
        self.weights = [p for m in self.modules for p in m.parameters()]
        self.optimiser = torch.optim.AdamW(
            self.weights, plan.rate, (0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.rates = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self.pace)
        self.ema = EMAModel(
            self.weights, decay=plan.ema, use_ema_warmup=True, inv_gamma=10, power=0.8, foreach=True
        )

    def pace(self, step: int) -> float:
        """Linear warm-up, then half a cosine to zero."""
        warm = min(1.0, (step + 1) / self.plan.warmup)
        return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.plan.steps)))

    def run(self, data: Data, empty: torch.Tensor) -> Iterator[dict]:
        """Train to the end of the plan from wherever this trainer stands; yields step and loss."""
        schedule = scheduler()
        while self.step < self.plan.steps:
            rng = np.random.default_rng((self.plan.seed, self.step))
            torch.manual_seed(self.plan.seed * 1_000_003 + self.step)
            rows = data.batch(rng, self.plan.batch)
            with mixed(self.unet.device, self.plan.fast):
                value = loss(self.network, self.text, schedule, *rows, empty)
            self.optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.optimiser.step()
            self.rates.step()
            self.ema.step(self.weights)
            self.step += 1
            yield {"step": self.step, "loss": float(value.detach())}

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        state = {
            "step": self.step,
            "modules": [m.state_dict() for m in self.modules],
            "optimiser": self.optimiser.state_dict(),
            "rates": self.rates.state_dict(),
            "ema": self.ema.state_dict(),
        }
        with written(path) as part:
            torch.save(state, part)

    def load(self, path: Path) -> None:
        """Take up where `save` left off."""
        state = torch.load(path, weights_only=True)
        self.step = state["step"]
        for module, weights in zip(self.modules, state["modules"], strict=True):
            module.load_state_dict(weights)
        self.optimiser.load_state_dict(state["optimiser"])
        self.optimiser.param_groups[0]["fused"] = True  # a checkpoint may say otherwise
        self.rates.load_state_dict(state["rates"])
        self.rates.base_lrs = [self.plan.rate]  # the plan's, should it have changed
        self.ema.load_state_dict(state["ema"])

    def finish(self) -> None:
        """Put the averaged weights into the modules."""
        self.ema.copy_to(self.weights)
