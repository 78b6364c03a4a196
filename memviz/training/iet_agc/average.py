"""The members' weighted average, kept in main memory: on the device stands one set of weights.

Of a LoRA the products B A are averaged, not the factors: the mean of factors is not the factor of
the mean. The sum of K members' products has rank K r; the best approximation of rank r is kept
(Eckart and Young, 1936), by a QR of either stack of factors and an SVD of what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from memviz.training.iet_agc.distributed import ProcessGroup


class Average:
    """`mean` is what the members begin a round from; `total` is what they have come to so far.

    `pairs` are the places of the LoRA's factors A (r, in) and B (out, r) among the weights; their
    totals are stacks (K r, in) and (out, K r), every other one is a sum.
    """

    def __init__(
        self, weights: Sequence[Tensor], pairs: Sequence[tuple[int, int]], members: int
    ) -> None:
        self.mean = [w.detach().to("cpu", copy=True) for w in weights]
        self.pairs, self.members = pairs, members
        self.reset()

    def reset(self) -> None:
        """Begin a round."""
        self.total = [torch.zeros_like(value) for value in self.mean]
        for a, b in self.pairs:
            self.total[a] = self.total[a].repeat(self.members, 1)
            self.total[b] = self.total[b].repeat(1, self.members)

    @torch.no_grad()
    def add(self, weights: Sequence[Tensor], member: int, share: float) -> None:
        """Add what a member came to; `share` is its part of all entries."""
        stacked = {place for pair in self.pairs for place in pair}
        for place, weight in enumerate(weights):
            if place not in stacked:
                self.total[place].add_(weight.detach().cpu(), alpha=share)
        for a, b in self.pairs:
            rank = len(weights[a])
            rows = slice(member * rank, (member + 1) * rank)
            self.total[a][rows] = weights[a].detach().cpu()
            self.total[b][:, rows] = share * weights[b].detach().cpu()

    def finish(self, peers: ProcessGroup) -> list[Tensor]:
        """The average over the members of all processes; the next round begins from it."""
        peers.sum(self.total)
        mean = list(self.total)
        for a, b in self.pairs:
            mean[a], mean[b] = factorize(self.total[a], self.total[b], len(self.mean[a]))
        self.mean = mean
        self.reset()
        return self.mean

    def pieces(self, round: int, turn: int) -> dict[str, Any]:
        """As a checkpoint keeps them: the mean changes once a round, the total once a turn."""
        found: dict[str, Any] = {f"average-{round}": self.mean}
        return found | ({f"total-{round}-{turn}": self.total} if turn else {})

    def load(self, pieces: dict[str, Any]) -> None:
        """Read back."""
        for name, values in pieces.items():
            if name.startswith("average-"):
                self.mean = values
        self.reset()
        for name, values in pieces.items():
            if name.startswith("total-"):
                self.total = values


def factorize(a: Tensor, b: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Factors A (rank, in) and B (out, rank) whose product is nearest to b @ a."""
    left, right = torch.linalg.qr(b.double()), torch.linalg.qr(a.double().T)
    u, scale, v = torch.linalg.svd(left.R @ right.R.T)
    root = scale[:rank].sqrt()
    return (
        (root[:, None] * v[:rank] @ right.Q.T).to(a.dtype).contiguous(),
        (left.Q @ u[:, :rank] * root).to(b.dtype).contiguous(),
    )
