"""The loop: rounds of members in turn, averaged at the end of each. It reads, writes and prints
nothing; whoever iterates may stop between any two ticks, keep `state()` and go on from it later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from memviz.training.config import Config
from memviz.training.data.dataset import Data
from memviz.training.data.shards import partition
from memviz.training.iet_agc.average import Average
from memviz.training.iet_agc.distributed import ProcessGroup
from memviz.training.iet_agc.loss_gate import Counts
from memviz.training.iet_agc.member import Member, Outcome
from memviz.training.iet_agc.redistribution import often_skipped, redistributed
from memviz.training.trainable_model import TrainableModel


@dataclass(frozen=True)
class Tick:
    """One step of the member whose turn it is, or the end of a round.

    `member` is None at the end of a round, and where a process has no member left in this turn.
    """

    round: int  # from 1
    member: Member | None = None
    outcome: Outcome | None = None
    ended: bool = False


class Training:
    """Members, their average, and the place in the plan: round, turn and step are what comes next.

    In each turn every process trains one of its members, so that all of them tick together.
    """

    def __init__(
        self,
        config: Config,
        student: TrainableModel,
        data: Data,
        groups: np.ndarray,
        peers: ProcessGroup,
    ) -> None:
        self.config, self.student, self.data, self.peers = config, student, data, peers
        parts = partition(data.times, groups, config.members, config.seed, config.copies)
        self.sizes = [len(part) for part in parts]
        self.members = [
            Member(k, parts[k], len(data.times), config, student)
            for k in range(peers.rank, config.members, peers.count)
        ]
        self.counts = Counts(len(data.times), student.pipe.device)
        several = config.members > 1  # one member is its own average
        how = student.weights, student.pairs, config.members
        self.average = Average(*how) if several else None
        self.round = self.turn = self.step = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Rounds ended, and the turn and step within the next."""
        return self.round, self.turn, self.step

    @property
    def turns(self) -> int:
        """Turns in a round."""
        return -(-self.config.members // self.peers.count)

    @property
    def steps(self) -> int:
        """Optimizer steps of all members so far."""
        here = min(self.peers.count, self.config.members - self.turn * self.peers.count)
        before = self.turn * self.peers.count
        full = self.round * self.config.members + before
        return full * self.config.member_steps + here * self.step

    def ticks(self) -> Iterator[Tick]:
        """Train from here to the end."""
        while self.round < self.config.rounds:
            while self.turn < self.turns:
                yield from self.take_turn()
                self.turn, self.step = self.turn + 1, 0
            self.meet()
            self.round, self.turn = self.round + 1, 0
            yield Tick(self.round, ended=True)

    def take_turn(self) -> Iterator[Tick]:
        """One member's steps of this round, then its share of the average."""
        member = self.members[self.turn] if self.turn < len(self.members) else None
        if member:
            member.move(self.student.pipe.device)
            if self.step == 0 and self.average:
                self.student.load(self.average.mean)
        while self.step < self.config.member_steps:
            found = member and member.step(self.student, self.data, self.counts)
            self.step += 1
            yield Tick(self.round + 1, member, found)
        if member and self.average:
            self.average.add(self.student.weights, member.number, self.share(member))
        if member and len(self.members) > 1:
            member.move("cpu")

    def share(self, member: Member) -> float:
        """A member's weight in the average: its part of all entries."""
        return self.sizes[member.number] / sum(self.sizes)

    def meet(self) -> None:
        """Average the members of all processes."""
        if self.average:
            self.student.load(self.average.finish(self.peers))
        if self.config.mode == "iet-agc+":
            dealt_again(self)

    def seen(self) -> dict[str, Tensor]:
        """Counts of all processes."""
        found = {k: v.clone() for k, v in self.counts.tensors().items()}
        self.peers.sum([*found.values()])
        return found

    def banks(self) -> list[Tensor]:
        """The loss banks of all members, on the CPU."""
        return self.peers.gather([m.gate.bank.cpu() for m in self.members if m.gate])

    def pieces(self) -> dict[str, Any]:
        """All that this process needs to go on from here; references, not copies.

        `state` changes with every step; the name of any other piece changes with what is in it.
        """
        state = {
            "place": self.place,
            "weights": [w.detach() for w in self.student.weights],
            "entries": [torch.from_numpy(m.order.entries) for m in self.members],
            "counts": self.counts.tensors(),
            "scaler": self.student.scaler.state_dict(),
        }
        members = {f"member-{m.number}-{m.done}": m.state() for m in self.members}
        shared = self.average.pieces(self.round, self.turn) if self.average else {}
        return {"state": state, **members, **shared}

    @torch.no_grad()
    def load(self, pieces: dict[str, Any]) -> None:
        """Take up where `pieces` left off."""
        state = pieces["state"]
        self.round, self.turn, self.step = state["place"]
        if self.average:
            self.average.load(pieces)
        self.student.load(state["weights"])
        kept = {name.split("-")[1]: p for name, p in pieces.items() if name.startswith("member-")}
        for member, entries in zip(self.members, state["entries"], strict=True):
            member.deal(entries.numpy())
            member.load(kept[str(member.number)])
            if len(self.members) > 1:
                member.move("cpu")
        self.counts.load(state["counts"])
        self.student.scaler.load_state_dict(state["scaler"])


def dealt_again(training: "Training") -> None:
    """Deal often-skipped pictures to the members of all processes anew."""
    seen, skipped = training.seen()["pictures"].cpu().numpy()
    own = [(m.number, m.order.entries) for m in training.members]
    parts = [entries for _, entries in sorted(training.peers.gather(own), key=lambda p: p[0])]
    rng = np.random.default_rng([training.config.seed, training.round, 11])
    parts = redistributed(parts, often_skipped(seen, skipped), rng)
    for member in training.members:
        member.deal(parts[member.number])
    training.sizes = [len(part) for part in parts]
