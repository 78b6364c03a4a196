"""Anti-gradient control: samples that are already fitted better than usual are skipped.

A loss bank keeps a running mean of the loss for each timestep; a sample is kept while
`ratio x loss >= bank[t]` (Liu et al., ECCV 2024, section 3.3). With ratio 1.25 it is skipped below
0.8 of the usual loss. The bank learns from every sample, skipped ones included, and starts at 0.
The released code judges a whole batch by the bank before it, which then learns sample by sample.
"""

from collections import Counter
from typing import NamedTuple

import torch
from torch import Tensor

TIMESTEPS = 1000
NEAR = 0.1  # of the threshold: how close a sample must be to it to count as near


class Judged(NamedTuple):
    """Which samples (B,) are kept, and which were near the threshold on either side."""

    keep: Tensor
    near: Tensor


class Gate:
    """One member's loss bank (T,), on the device of the losses.

    `whole` judges a batch as the released code does.
    """

    def __init__(
        self,
        ratio: float,
        decay: float,
        device: str | torch.device = "cpu",
        whole: bool = False,
    ) -> None:
        self.ratio, self.decay, self.whole = ratio, decay, whole
        self.bank = torch.zeros(TIMESTEPS, device=device)

    @torch.no_grad()
    def __call__(self, losses: Tensor, t: Tensor) -> Judged:
        """Judge losses (B,) at timesteps (B,), the latter held on the CPU.

        As one sample after the other: of two with the same timestep the second meets the bank that
        the first has moved, unless a batch is judged whole. The timesteps' place makes this cost no
        wait for the device.
        """
        before = self.bank.clone() if self.whole else self.bank
        keep, near = torch.empty(2, len(losses), dtype=torch.bool, device=losses.device)
        for rows in turns(t):
            at = t[rows].to(losses.device)
            loss, usual = losses[rows].float(), self.bank[at]
            mark = before[at]
            keep[rows] = self.ratio * loss >= mark
            near[rows] = (self.ratio * loss - mark).abs() < NEAR * mark
            moved = self.decay * usual + (1 - self.decay) * loss
            self.bank[at] = torch.where(loss.isfinite(), moved, usual)
        return Judged(keep, near)


def turns(t: Tensor) -> list[Tensor | slice]:
    """Rows in as few groups as hold each timestep once, in order."""
    seen: Counter[int] = Counter()
    groups: list[list[int]] = []
    for row, value in enumerate(t.tolist()):
        if seen[value] == len(groups):
            groups.append([])
        groups[seen[value]].append(row)
        seen[value] += 1
    return [slice(None)] if len(groups) == 1 else [torch.tensor(rows) for rows in groups]


def mean_of_kept(losses: Tensor, keep: Tensor) -> Tensor:
    """The loss to descend: kept losses rescaled by B / kept; 0 when none is kept."""
    return (losses * keep).sum() / keep.sum().clamp(min=1)


class Counts:
    """How often each picture and each timestep was seen and skipped."""

    def __init__(self, pictures: int, device: str | torch.device = "cpu") -> None:
        self.pictures = torch.zeros(2, pictures, dtype=torch.int32, device=device)  # seen, skipped
        self.timesteps = torch.zeros(2, TIMESTEPS, dtype=torch.int32, device=device)

    def add(self, rows: Tensor, t: Tensor, keep: Tensor) -> None:
        """Count a batch: picture numbers (B,), timesteps (B,), kept (B,)."""
        both = torch.stack([torch.ones_like(keep), ~keep]).int()  # (2, B)
        self.pictures.index_add_(1, rows.to(keep.device), both)
        self.timesteps.index_add_(1, t.to(keep.device), both)

    def tensors(self) -> dict[str, Tensor]:
        """As a checkpoint keeps them."""
        return {"pictures": self.pictures, "timesteps": self.timesteps}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Read back."""
        self.pictures.copy_(tensors["pictures"])
        self.timesteps.copy_(tensors["timesteps"])


def by_range(total: Tensor, count: Tensor, bins: int) -> list[float | None]:
    """total / count over equal ranges of the timestep (T,); None where nothing was counted."""
    above, below = (x.double().cpu().view(bins, -1).sum(1).tolist() for x in (total, count))
    return [round(a / b, 6) if b else None for a, b in zip(above, below, strict=True)]
