"""Fine-tuning: `python scripts/benchmark.py training --json`.

`gate_cost`: a training step with the loss gate over one without, less 1. `gate_share`: the part of
a gated step that the gate and its counts take, timed by themselves. `loop_cost`: a step with a
gate that looks at one sample after the other, as the released trainer does, over a gated step,
less 1; `gate_vs_loop`: the two gates alone. All ways step in turn, each turn beginning with the
next one, so that a busy machine and warm caches favour none; figures are medians of ratios within a
turn, `quartiles` say how far these scatter. On a CPU it is processor time of one thread that
counts: the threads of a pool that wait would count as work.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor

from benchmarks.measure import environment
from memviz.training.config import PRESETS, Config
from memviz.training.iet_agc.loss_gate import Counts, Gate, Judged
from memviz.training.iet_agc.member import Member
from memviz.training.trainer import Run


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=15, help="turns (%(default)s)")
    parser.add_argument("--model", default="demo-pretrained")
    parser.add_argument("--corpus", default="demo-10k")


class OneByOne(Gate):
    """The same gate as a loop that waits for each sample's loss."""

    @torch.no_grad()
    def __call__(self, losses: Tensor, t: Tensor) -> Judged:
        """As `Gate`, one sample after the other."""
        keep = torch.ones_like(losses, dtype=torch.bool)
        for row, at in enumerate(t.tolist()):
            loss, usual = losses[row].item(), self.bank[at].item()
            keep[row] = self.ratio * loss >= usual
            self.bank[at] = self.decay * usual + (1 - self.decay) * loss
        return Judged(keep, torch.zeros_like(keep))


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    places = {"model": args.model, "corpus": args.corpus, "probes": "none"}
    torch.set_num_threads(1)
    config = PRESETS["demo"].config(mode="agc", batch_size=args.batch_size, **places)
    run = Run(config, Path("unused"), print)
    clock = Clock(run.student.pipe.device.type)
    members = {name: member(run, config, name) for name in ("plain", "gated", "loop")}
    turns = [
        {
            name: clock(lambda n=name: members[n].step(run.student, run.data, run.training.counts))
            for name in rotated([*members], number)
        }
        for number in range(args.repeats + 1)
    ][1:]
    costs = [t["gated"] / t["plain"] - 1 for t in turns]
    gate, loop = (alone(clock, kind, args) for kind in (Gate, OneByOne))
    return {
        "gate_cost": median(costs),
        "quartiles": quantiles(costs, n=4)[::2],
        "gate_share": gate / median(t["gated"] for t in turns),
        "loop_cost": median(t["loop"] / t["gated"] for t in turns) - 1,
        "gate_vs_loop": gate / loop,
        "goals": {"gate_share": 0.02, "gate_vs_loop": 1.0},
        "seconds": {name: median(t[name] for t in turns) for name in members},
        "asked": {"batch_size": args.batch_size, "repeats": args.repeats},
        "environment": environment(run.student.model),
    }


def rotated(names: list[str], number: int) -> list[str]:
    """The same, beginning with another one each time."""
    first = number % len(names)
    return names[first:] + names[:first]


def member(run: Run, config: Config, name: str) -> Member:
    """One way of taking a step, on the same data."""
    entries = run.training.members[0].order.entries
    mode = "plain" if name == "plain" else "agc"
    made = Member(0, entries, len(run.corpus), replace(config, mode=mode), run.student)
    if name == "loop":
        made.gate = OneByOne(config.ratio, config.ema_decay, run.student.pipe.device)
    return made


def alone(clock: "Clock", kind: type[Gate], args: argparse.Namespace) -> float:
    """Seconds that a gate and its counts take for one batch."""
    device = clock.device
    gate, counts = kind(1.25, 0.8, device), Counts(10_000, device)
    losses = torch.rand(args.batch_size, device=device)
    rows, t = torch.randint(0, 10_000, (2, args.batch_size))

    def judge() -> None:
        counts.add(rows, t % 1000, gate(losses, t % 1000).keep)

    return median(clock(judge) for _ in range(200))


class Clock:
    """Seconds of a call: processor time on a CPU, else time on the wall once the device is done."""

    def __init__(self, device: str) -> None:
        self.device = device

    def __call__(self, call: Callable[[], Any]) -> float:
        start = self.now()
        call()
        return self.now() - start

    def now(self) -> float:
        """This moment."""
        if self.device == "cpu":
            return time.process_time()
        torch.cuda.synchronize()
        return time.perf_counter()


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    return (
        f"a gated step / a plain one: {1 + result['gate_cost']:.3f} "
        f"({', '.join(f'{1 + q:.3f}' for q in result['quartiles'])}); "
        f"the gate is {result['gate_share']:.2%} of it (goal 2 %)\n"
        f"a step with a per-sample loop / a gated one: {1 + result['loop_cost']:.3f}; "
        f"gate / loop: {result['gate_vs_loop']:.3f} (goal 1)\n{result['environment']}"
    )
