"""A fine-tuning at work: all that one process holds, and the order of what it does."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz import resources
from memviz.data import corpus as corpora
from memviz.jobs.files import append_line
from memviz.training import cli_flags, export
from memviz.training.checkpoints import Checkpoints
from memviz.training.config import Config
from memviz.training.data.dataset import Data
from memviz.training.data.duplicates import groups, sizes
from memviz.training.events import Event, Gates, Losses, leaderboard
from memviz.training.iet_agc.distributed import ProcessGroup
from memviz.training.iet_agc.loop import Training
from memviz.training.monitoring.held_out_loss import FixedLoss
from memviz.training.monitoring.monitor import Watch
from memviz.training.monitoring.probes import Judge, prompts
from memviz.training.tracker import Tracker
from memviz.training.trainable_model import TrainableModel

if TYPE_CHECKING:
    from memviz.retrieval.copy_detector import CopyDetector

METRICS = "metrics.jsonl"

Note = Callable[[str], None]


class Run:
    """All that a fine-tuning works with, made once by each process."""

    def __init__(
        self, config: Config, out: Path, note: Note, peers: ProcessGroup | None = None
    ) -> None:
        self.config, self.out, self.note = config, out, note
        self.peers = peers or ProcessGroup()
        self.corpus = corpora.load(config.corpus)
        self.student: Any  # a TrainableModel, or one without captions that is used alike
        self.data: Any
        self.detector: CopyDetector | None
        self.prepare()
        self.sizes = sizes(self.groups, self.data.times)
        self.training = Training(config, self.student, self.data, self.groups, self.peers)
        self.checkpoints = Checkpoints(out / "checkpoints", config.keep, self.peers, note)
        self.losses, self.gates = Losses(), Gates()
        self.watch = self.make_watch()
        self.fixed_loss = FixedLoss.choose(self.student, self.data)
        self.seconds, self.kept = 0.0, 0  # of training; step of the last checkpoint
        self.kept_at = self.training.place

    def prepare(self) -> None:
        """Model, copy detector, encoded pictures and the groups of copies among them."""
        config = self.config
        self.student = TrainableModel(config, self.peers.device)
        with self.peers.one_by_one():
            watched = config.probes != "none"
            self.detector = (
                resources.load_detector(config.corpus, config.descriptor) if watched else None
            )
            if self.detector and self.detector.misfit:
                self.note(self.detector.misfit)
            self.data = Data(config, self.corpus, self.student.model, self.note)
            self.groups = groups(self.corpus, self.detector)
        self.student.freeze()  # after the pictures were encoded, in full precision

    def make_watch(self) -> Any:  # noqa: ANN401 - a Watch, or that of a model without captions
        """What looks at copies while it trains; None where nothing is watched."""
        return watch(self) if self.detector else None

    def events(self, stopping: Callable[[], bool]) -> Iterator[Event]:
        """Train from the newest checkpoint, or from the start; every event is written down."""
        if not self.peers.first:
            yield from self.train(stopping)
            return
        self.out.mkdir(parents=True, exist_ok=True)
        tracker = Tracker(self.config, self.out)
        try:
            for event in self.train(stopping):
                append_line(self.out / METRICS, {"time": round(time.time(), 3), **event})
                tracker.log(event)
                yield event
        finally:
            tracker.finish()

    def train(self, stopping: Callable[[], bool]) -> Iterator[Event]:
        """The same, unwritten."""
        yield self.start()
        if self.kept >= self.config.steps and (self.out / "model").is_dir():
            yield self.done()
            return
        if not self.kept:
            yield from self.look(0)
        begun = time.perf_counter()
        for tick in self.training.ticks():
            self.losses.add(tick)
            if not (tick.ended or self.due):
                continue
            self.seconds += time.perf_counter() - begun
            yield from self.losses.told(self.training, self.seconds)
            if tick.ended:
                yield from self.end_round()
            elif self.looking:
                yield from self.look(tick.round, self.training.turn * self.peers.count)
            stop = self.peers.any(stopping())
            if stop or self.training.steps >= self.kept + self.config.checkpoint_every:
                yield self.checkpoint()
            if stop:
                yield {"event": "stopped", "step": self.training.steps}
                return
            begun = time.perf_counter()
        if self.kept_at != self.training.place:
            yield self.checkpoint()  # so that it can be made longer
        yield self.finish()

    @property
    def due(self) -> bool:
        """Whether losses are told now: every few steps, and at the end of a member's turn."""
        step = self.training.step
        told = step % self.config.log_every == 0 or step == self.config.member_steps
        return told or self.looking

    @property
    def looking(self) -> bool:
        """Whether the prompts are looked at within a round; its last step is left to its end."""
        step, every = self.training.step, self.config.probe_within
        last = self.training.turn + 1 == self.training.turns and step == self.config.member_steps
        return bool(every) and step % every == 0 and not last

    def start(self) -> Event:
        """Take up a checkpoint if there is one, and say what is ahead."""
        if state := self.checkpoints.load():
            self.training.load(state)
            run = state["run"]
            self.seconds = self.losses.seconds = run["seconds"]
            if self.watch:
                self.watch.looks = json.loads(run["looks"])
            self.gates.before = run["gates"]
            self.kept, self.kept_at = self.training.steps, self.training.place
        return {
            "event": "start",
            "steps": self.config.steps,
            "samples": self.config.samples,
            "pictures": len(self.corpus),
            "members": self.config.members,
            "processes": self.peers.count,
            "mode": self.config.mode,
            "resumed_at": self.kept,
        }

    def end_round(self) -> Iterator[Event]:
        """What is told, drawn and saved after a round."""
        number, every = self.training.round, self.config.save_every
        if self.config.gated:
            yield self.gates.told(self.training)
            yield leaderboard(self.training, self.corpus, self.groups, self.sizes)
        if number % self.config.probe_every == 0 or number == self.config.rounds:
            yield from self.look(number)
        if every and number % every == 0:
            yield self.save(number)

    def look(self, number: int, member: int | None = None) -> Iterator[Event]:
        """Measure the fixed loss and draw the watched prompts, in the first process alone."""
        place = self.training.steps, number, member
        if self.peers.first:
            yield self.fixed_loss.measure(*place)
        if self.watch and self.peers.first:
            where = "after" if member is None else "in"
            self.note(f"looking at the watched prompts {where} round {number}")
            yield self.watch.look(*place, self.config.in_mid_schedule(number, member))
        self.peers.meet()

    def save(self, number: int) -> Event:
        """A round's weights."""
        name = f"rounds/{number:04}"
        if self.peers.first:
            export.save_round(self.out / name, self.student)
        return {"event": "saved", **self.place(), "folder": name}

    def checkpoint(self) -> Event:
        """All that a resume needs."""
        self.kept, self.kept_at = self.training.steps, self.training.place
        looks = json.dumps(self.looks)
        run = {"looks": looks, "seconds": self.seconds, "gates": self.gates.before}
        folder = self.checkpoints.save(self.kept, {"run": run, **self.training.pieces()})
        return {
            "event": "checkpoint",
            "step": self.kept,
            "folder": str(folder.relative_to(self.out)),
        }

    def finish(self) -> Event:
        """Write the pipeline."""
        if self.peers.first:
            self.write_model()
        self.peers.meet()
        return self.done()

    def write_model(self) -> None:
        """The finished pipeline with its card."""
        command = shlex.join(["python", "-m", "memviz", "train", *cli_flags.words(self.config)])
        look = self.detector
        judge = f"{look.descriptor.preset.name}. {look.misfit}".strip() if look else ""
        about = self.config, self.student, self.corpus, command, self.looks, self.seconds
        text = export.card(*about, judge)
        export.save_model(self.out / "model", self.student, self.corpus, text)

    def done(self) -> Event:
        """What was made."""
        return {
            "event": "done",
            "step": self.training.steps,
            "samples": self.config.samples,
            "seconds": round(self.seconds, 1),
            "folder": "model",
        }

    @property
    def looks(self) -> list[Event]:
        """What was seen of the watched prompts so far."""
        return self.watch.looks if self.watch else []

    def place(self) -> Event:
        """Step and round."""
        return {"step": self.training.steps, "round": self.training.round}


def watch(run: Run) -> Watch:
    """The watched prompts, drawn by the model that is trained."""
    assert run.detector is not None
    config, student = run.config, run.student
    look = run.detector, config.probe_steps, config.resolution
    judge = Judge(student.pipe, student.model.folder, *look)
    return Watch(judge, prompts(run.config, run.corpus.captions, run.sizes), run.out, (0,))
