"""AdamW on something of each sample until its magnitude is low enough, as some remedies need it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from memviz.models.denoiser import Denoiser


def descend(
    denoiser: "Denoiser",
    magnitude: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    target: float,
    iterations: int,
    rate: float,
    fixed: Tensor | None = None,
    decay: float = 0.01,
    pictures: Sequence[int] = (),
) -> Tensor:
    """`start` (B, ...) changed until each row's magnitude is at most `target`, in float32.

    `magnitude(values, rows)` are the magnitudes (b,) of some rows at their values. A row that is
    there, or was at the last iteration, is left alone: no further evaluation is spent on it.
    `fixed` marks the places of a row that must not change; with a `decay` of 0 it is Adam.
    `pictures` says how many are evaluated for each row, where that is not one.
    """
    rows = [Row(values, rate, decay) for values in start.detach().clone().float()]
    active = torch.arange(len(rows))
    for _ in range(iterations):
        values = torch.stack([rows[i].values.detach() for i in active]).requires_grad_()
        found = magnitude(values, active)
        far = found.detach().cpu() > target
        if not far.any():
            break
        slope = denoiser.gradient(found, values)
        if pictures:
            denoiser.evaluations += sum(pictures[int(i)] - 1 for i in active)
        slope = slope if fixed is None else slope.masked_fill(fixed, 0)
        for i, g in zip(active[far], slope[far.to(slope.device)], strict=True):
            rows[int(i)].move(g)
        active = active[far]
    return torch.stack([row.values.detach() for row in rows])


class Row:
    """One row under its own optimiser, so that it stops by itself."""

    def __init__(self, values: Tensor, rate: float, decay: float) -> None:
        self.values = values.clone().requires_grad_()
        self.optimizer = torch.optim.AdamW([self.values], lr=rate, weight_decay=decay)

    def move(self, slope: Tensor) -> None:
        """One step."""
        self.values.grad = slope
        self.optimizer.step()  # pyright: ignore[reportUnknownMemberType]
