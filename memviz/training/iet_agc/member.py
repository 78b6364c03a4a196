"""One member: its part of the data, its optimizer, its loss bank and what it has counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from memviz.training.data.shards import Order
from memviz.training.iet_agc.loss_gate import TIMESTEPS, Counts, Gate, mean_of_kept

if TYPE_CHECKING:
    from memviz.training.config import Config
    from memviz.training.data.dataset import Data
    from memviz.training.trainable_model import TrainableModel


class Outcome(NamedTuple):
    """One step, still on the device: mean loss of all samples, share kept, gradient's norm."""

    loss: Tensor
    kept: Tensor
    norm: Tensor  # before it is clipped; 0 where nothing was kept


class Member:
    """A member trains the one student in its turn; between turns its optimizer is parked."""

    def __init__(
        self,
        number: int,
        entries: np.ndarray,
        pictures: int,
        config: Config,
        student: TrainableModel,
    ) -> None:
        device = student.pipe.device
        self.number, self.config = number, config
        self.optimizer = optimizer(config, student.weights)
        rule = config.ratio, config.ema_decay, device, config.gate == "released"
        self.gate = Gate(*rule) if config.gated else None
        plus = config.mode == "iet-agc+"
        self.near = torch.zeros(pictures, dtype=torch.bool) if plus else None  # to be varied next
        self.done = 0  # steps
        self.deal(entries)

    def deal(self, entries: np.ndarray) -> None:
        """Give it its part of the data."""
        self.order = Order(entries, self.config.seed, self.number)

    def step(self, student: TrainableModel, data: Data, counts: Counts) -> Outcome:
        """One optimizer step; none where the gate leaves no sample."""
        config, found = self.config, []
        rng = np.random.default_rng([config.seed, self.number, self.done, 7])
        torch.manual_seed(
            int(rng.integers(2**63))
        )  # all that torch draws depends on the step alone
        for part in range(config.accumulation):
            rows = self.order.batch(self.done * config.accumulation + part, config.batch_size)
            found.append(self.descend(student, data, counts, rows, rng))
        loss, kept = (torch.stack(values).mean() for values in zip(*found, strict=True))
        norm = self.apply(student, kept)
        self.done += 1
        return Outcome(loss, kept, norm)

    def descend(
        self,
        student: TrainableModel,
        data: Data,
        counts: Counts,
        rows: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor]:
        """Gradients of one batch; its mean loss and the share kept."""
        at = torch.from_numpy(rows)
        x, text = data.batch(rows, rng, None if self.near is None else self.near[at].numpy())
        t = torch.randint(0, TIMESTEPS, (len(rows),))
        losses, magnitude = student.losses(x, text, t)
        keep = self.kept(losses.detach(), at, t, magnitude)
        counts.add(at, t, keep)
        loss = mean_of_kept(losses, keep) / self.config.accumulation
        student.scaler.scale(loss).backward()
        return losses.detach().mean(), keep.float().mean()

    def kept(self, losses: Tensor, rows: Tensor, t: Tensor, magnitude: Tensor | None) -> Tensor:
        """Which samples count (B,)."""
        keep = torch.ones_like(losses, dtype=torch.bool)
        if self.gate:
            keep, near = self.gate(losses, t)
            if self.near is not None:
                self.near[rows] = near.cpu()
        if self.config.random_skip:
            keep &= (torch.rand(len(t)) >= self.config.random_skip).to(keep.device)
        return keep if magnitude is None else keep & (magnitude < self.config.wen_threshold)

    def apply(self, student: TrainableModel, kept: Tensor) -> Tensor:
        """Move the weights, unless nothing was kept: even a zero gradient would move them.

        Fused AdamW learns that on the device, so that no step waits for it. Returns the norm of the
        gradient.
        """
        config, optimizer = self.config, self.optimizer
        for group in optimizer.param_groups:
            group["lr"] = config.lr * pace(config, self.done)
        waits = config.eight_bit or student.scaler.is_enabled()
        if waits and not kept > 0:
            optimizer.zero_grad()
            return torch.zeros_like(kept)
        student.scaler.unscale_(optimizer)
        norm = get_total_norm([w.grad for w in student.weights if w.grad is not None])
        if config.clip:
            clip_grads_with_norm_(student.weights, config.clip, norm)
        if not waits:
            skip = (kept == 0).float()
            setattr(optimizer, "found_inf", skip)  # noqa: B010 - as a GradScaler tells it to
        student.scaler.step(optimizer)
        student.scaler.update()
        optimizer.zero_grad()
        return norm

    @property
    def rate(self) -> float:
        """The learning rate of its last step."""
        return self.optimizer.param_groups[0]["lr"]

    def move(self, device: str | torch.device) -> None:
        """Put the optimizer's state on a device."""
        for state in self.optimizer.state.values():
            state |= {k: v.to(device) for k, v in state.items() if k != "step" and hasattr(v, "to")}

    def state(self) -> dict[str, Any]:
        """All that a checkpoint keeps."""
        return {
            "done": self.done,
            "optimizer": self.optimizer.state_dict(),
            "bank": self.gate and self.gate.bank,
            "near": self.near,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up where `state` left off."""
        self.done = state["done"]
        self.optimizer.load_state_dict(state["optimizer"])
        if self.gate:
            self.gate.bank.copy_(state["bank"])
        self.near = state["near"]


def optimizer(config: Config, weights: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """AdamW, or its 8-bit form."""
    if not config.eight_bit:
        return torch.optim.AdamW(weights, config.lr, weight_decay=config.weight_decay, fused=True)
    from bitsandbytes.optim import AdamW8bit  # pyright: ignore[reportMissingImports]

    return AdamW8bit(weights, config.lr, weight_decay=config.weight_decay)


def pace(config: Config, step: int) -> float:
    """The share of the full learning rate at a member's step."""
    if config.schedule == "constant":
        return 1.0
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    left = config.rounds * config.member_steps - config.warmup
    past = min(1.0, max(0, step - config.warmup) / max(1, left))
    match config.schedule:
        case "linear":
            return warm * (1 - past)
        case "cosine":
            return warm * 0.5 * (1 + math.cos(math.pi * past))
        case _:
            return warm
