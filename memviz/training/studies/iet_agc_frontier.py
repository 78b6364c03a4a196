"""What is copied against what was learned: IET-AGC and its parts held against their controls.

A model that was trained less copies less, so a copied share means something only beside what was
learned. Every arm is trained at the sample counts of plain fine-tuning that ends after 300 to
1,200 steps, each with a schedule of its own. The controls are plain fine-tuning itself, its
weights mixed with those before, a random skip at the rate at which AGC skips, and plain
fine-tuning on the deduplicated corpus. What was learned must not reward copies, so it is read from
pictures that are none, from captions that were never seen, and from the denoising loss at fixed
noise on pictures seen once and on pictures held out.

An arm's settings are chosen on two training seeds, by how far it lies below plain fine-tuning at
equal learning, and reported on three others. It takes days of a CPU: what was finished is read and
not made again, a training goes on from its checkpoint, and `stopping` ends a stretch.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from memviz.data.prompts import demo
from memviz.io import atomic, paths
from memviz.io.marks import replace_between
from memviz.io.read import read_json
from memviz.statistics import estimate_mean, estimate_share
from memviz.training.config import PRESETS, Config, from_json
from memviz.training.monitoring.held_out_loss import denoising_loss
from memviz.training.monitoring.probes import Judge
from memviz.training.trainer import Run, opened

Settings = Mapping[str, Any]
Figures = dict[str, Any]
Note = Callable[[str], None]
Stopping = Callable[[], bool]

SHARDS = [{"shards": 2}, {"shards": 4}]
RATIOS = [{"ratio": 1.25}, {"ratio": 1.5}]
BOTH = [a | b for a, b in product(SHARDS, RATIOS)]
ARMS: dict[str, list[dict[str, Any]]] = {  # the settings that each may choose from
    "plain": [{}],
    "iet": SHARDS,
    "agc": RATIOS,
    "iet-agc": BOTH,
    "iet-agc+": BOTH,
    "random skip": [{}],
    "deduplicated": [{}],
    "mixed": [{"share": share} for share in (0.25, 0.5, 0.75)],
}
ROUNDS = 5  # so that 300 to 1,200 steps divide by rounds and shards
HELD_OUT = 256  # pictures that no arm is trained on
BEGIN, END = "<!-- frontier -->", "<!-- /frontier -->"
LEARNED = "loss_unseen"  # by which arms are compared at equal learning


class Stopped(Exception):
    """The stretch is over; the same call goes on from here."""


@dataclass(frozen=True)
class Plan:
    """What is trained, and how it is judged."""

    base: Config
    duplicated: Sequence[str]  # prompts of the repeated scenes
    unseen: Sequence[str]  # prompts of scenes that are in no training
    steps: Sequence[int] = (300, 400, 500, 600, 800, 1_200)  # of plain fine-tuning
    choosing: Sequence[int] = (0, 1)  # training seeds
    reporting: Sequence[int] = (2, 3, 4)
    seeds: Sequence[int] = (0, 1, 2, 3)  # of starting noise
    arms: Sequence[str] = tuple(ARMS)
    denoising_steps: int = 25
    settings: Mapping[str, Sequence[Settings]] = field(default_factory=lambda: ARMS)
    others: Sequence[int] = ()  # steps of the other arms; `steps` where none are named

    def config(self, arm: str, steps: int, seed: int, settings: Settings) -> Config:
        """An arm's training on as many samples as plain fine-tuning sees in `steps` steps."""
        mode = arm if arm in ("plain", "iet", "agc", "iet-agc", "iet-agc+") else "plain"
        own = {name: value for name, value in settings.items() if name != "share"}
        shards = own.pop("shards", 1)
        if arm == "deduplicated":
            own["weights"] = ""
        local = max(1, steps // (ROUNDS * shards))
        return replace(
            self.base, mode=mode, seed=seed, rounds=ROUNDS, shards=shards, local_steps=local, **own
        )


def demo_plan() -> Plan:
    """The frontier of the demo, in full."""
    base = PRESETS["demo"].config(
        **{"probes": "none", "hold_out": HELD_OUT, "repeated": 0, "ratio": 1.25, "shards": 4},
        **{"local_steps": 20, "checkpoint_every": 100, "keep": 1, "save_every": 0},
    )
    prompts = demo()
    return Plan(base, prompts["duplicated"], prompts["heldout"])


def short_plan(training_seeds: Sequence[int]) -> Plan:
    """The frontier of the demo at one length, with the settings of the study that ships.

    Nothing is chosen, so training seed 0, on which those settings were, is no fresh one.
    """
    fixed = {"shards": 2}, {"ratio": 1.5}
    settings = ARMS | {"iet": [fixed[0]], "agc": [fixed[1]], "iet-agc": [fixed[0] | fixed[1]]}
    return replace(
        demo_plan(),
        steps=(300, 500, 800),
        others=(800,),
        arms=("plain", "iet-agc", "mixed", "agc", "random skip", "iet", "deduplicated"),
        choosing=(),
        reporting=training_seeds,
        settings=settings | {"mixed": [{"share": 0.5}]},
    )


def trace_frontier(
    plan: Plan, out: Path, note: Note, stopping: Stopping = lambda: False
) -> dict[str, Any]:
    """Every arm's points; raises Stopped at the end of a stretch. Writes `out/frontier.json`."""
    study = Study(plan, out, note, stopping)
    tried = {
        (arm, steps): [
            (settings, [study.figures(arm, steps, seed, settings) for seed in plan.choosing])
            for settings in plan.settings[arm]
        ]
        for arm, steps in plan_points(plan)
    }
    plain = [f for (arm, _), found in tried.items() if arm == "plain" for f in found[0][1]]
    points = []
    for (arm, steps), found in tried.items():
        settings = found[0][0]
        if len(found) > 1:
            settings, _ = min(found, key=lambda pair: mean_excess(pair[1], plain))
        fresh = [study.figures(arm, steps, seed, settings) for seed in plan.reporting]
        points.append({"arm": arm, "steps": steps, "settings": settings, **summarize(fresh)})
    result = {"points": points, "base": plan.base.to_json(), "seeds": list(plan.reporting)}
    atomic.json(out / "frontier.json", result)
    return result


def plan_points(plan: Plan) -> Iterator[tuple[str, int]]:
    """Arms and steps; weights are mixed where plain fine-tuning went farthest."""
    others = plan.others or plan.steps
    lengths = {"plain": plan.steps, "mixed": plan.steps[-1:]}
    yield from ((arm, steps) for arm in plan.arms for steps in lengths.get(arm, others))


def mean_excess(figures: Sequence[Figures], plain: Sequence[Figures]) -> float:
    """How much more is copied than by plain fine-tuning that learned as much, on average.

    Plain fine-tuning between and beyond its points is read off a line through them.
    """
    known = sorted((figures_[LEARNED]["mean"], figures_["copied"]["mean"]) for figures_ in plain)
    learned, copied = zip(*known, strict=True)
    usual = np.interp([f[LEARNED]["mean"] for f in figures], learned, copied)
    return float(np.mean([f["copied"]["mean"] for f in figures] - usual))


@dataclass
class Study:
    """The folder of a frontier: `figures` reads what is there and makes what is not."""

    plan: Plan
    out: Path
    note: Note
    stopping: Stopping

    def figures(self, arm: str, steps: int, seed: int, settings: Settings) -> Figures:
        """What one trained model copies and what it learned."""
        config = self.plan.config(arm, steps, seed, settings)
        if arm == "random skip":
            config = replace(config, random_skip=self.skip_rate(steps, seed))
        words = [f"{name}{value:g}" for name, value in settings.items()]
        folder = self.out / "-".join([arm.replace(" ", "_"), *words, f"{steps}", f"seed{seed}"])
        asked = {"config": config.to_json(), "share": settings.get("share")}
        found = read_figures(folder / "figures.json")
        before = found.pop("asked", None)  # settings that came later are at their defaults
        if before and before | {"config": from_json(before["config"]).to_json()} == asked:
            return found
        if self.stopping():
            raise Stopped
        self.note(f"{folder.name}: {config.samples:,} samples")
        found = (
            self.mix(config, settings["share"]) if arm == "mixed" else self.train(config, folder)
        )
        folder.mkdir(parents=True, exist_ok=True)
        atomic.json(folder / "figures.json", found | {"asked": asked})
        return found

    def skip_rate(self, steps: int, seed: int) -> float:
        """The share of samples that AGC skips at its usual ratio in a training of that length."""
        return self.figures("agc", steps, seed, self.plan.settings["agc"][0])["skipped"]

    def train(self, config: Config, folder: Path) -> Figures:
        """Train from the newest checkpoint, and judge; only the finished weights are kept."""
        run = opened(config, folder / "run", True, self.note)
        for event in run.events(self.stopping):
            if event["event"] == "stopped":
                raise Stopped
        torch.save(run.student.values(), folder / "weights.pt")
        found = self.judge(run)
        shutil.rmtree(folder / "run")
        return found

    def mix(self, config: Config, share: float) -> Figures:
        """Plain fine-tuning's weights at `share`, those before it for the rest."""
        steps, seed = self.plan.steps[-1], config.seed
        self.figures("plain", steps, seed, {})
        after = torch.load(self.out / f"plain-{steps}-seed{seed}" / "weights.pt", weights_only=True)
        run = Run(config, self.out / "mixed", self.note)
        before = run.student.values()
        run.student.load([torch.lerp(b, a, share) for b, a in zip(before, after, strict=True)])
        return self.judge(run)

    def judge(self, run: Run) -> Figures:
        """What the run's model copies, and what it learned."""
        from memviz import resources

        plan, student = self.plan, run.student
        detector = resources.load_detector(run.config.corpus, run.config.descriptor)
        judge = Judge(student.pipe, student.model.folder, detector, plan.denoising_steps)
        copies = judge.look(plan.duplicated, plan.seeds)
        unseen = judge.look(plan.unseen)
        copied = copies.similarity >= detector.thresholds.copied
        prompts = [prompt for prompt in plan.duplicated for _ in plan.seeds]
        aligned = np.full(len(copied), np.nan) if copies.alignment is None else copies.alignment
        once, held = (np.flatnonzero(rows) for rows in self.pictures(run))
        seen, skipped = run.training.seen()["pictures"].sum(1).tolist()
        return {
            "copied": estimate_share(copied, prompts).to_json(),
            "hits": copied.tolist(),
            "prompts": prompts,
            "alignment_not_copied": mean_or_none(
                aligned[~copied], [p for p, hit in zip(prompts, copied, strict=True) if not hit]
            ),
            "alignment_unseen": mean_or_none(unseen.alignment, plan.unseen),
            "loss_once": estimate_mean(denoising_loss(student, run.data, once)).to_json(),
            "loss_unseen": estimate_mean(denoising_loss(student, run.data, held)).to_json(),
            "skipped": round(skipped / max(1, seen), 4),
            "samples": run.config.samples,
        }

    def pictures(self, run: Run) -> tuple[np.ndarray, np.ndarray]:
        """Which pictures (N,) the loss is measured on: some seen once, some never."""
        column = self.plan.base.weights
        counts = np.array(run.corpus.column(column)) if column else np.ones(len(run.corpus), int)
        single, held = counts == 1, run.data.times == 0
        order = np.random.default_rng(1).permutation(np.flatnonzero(single & ~held))
        once = np.zeros(len(counts), bool)
        once[order[: held.sum()]] = True
        return once, single & held


def summarize(figures: Sequence[Figures]) -> Figures:
    """One point from its training seeds: an interval over prompts, and each seed's own figure."""
    hits = np.concatenate([f["hits"] for f in figures])
    prompts = [prompt for f in figures for prompt in f["prompts"]]
    found: Figures = {"copied": estimate_share(hits, prompts).to_json()}
    for name in ("alignment_not_copied", "alignment_unseen", "loss_once", "loss_unseen"):
        values = [f[name]["mean"] for f in figures if f[name]]
        found[name] = round(float(np.mean(values)), 4) if values else None
    found["by_seed"] = [f["copied"]["mean"] for f in figures]
    return found | {"skipped": figures[0]["skipped"], "samples": figures[0]["samples"]}


def mean_or_none(values: np.ndarray | None, prompts: Sequence[str]) -> Figures | None:
    """A mean with its interval; None of no values, or where nothing was measured."""
    if values is None or not len(values) or np.isnan(values).any():
        return None
    return estimate_mean(values, list(prompts)).to_json()


def read_figures(file: Path) -> Figures:
    """What a finished training left; empty where there is nothing."""
    return read_json(file, {}) if file.is_file() else {}


def frontier_table(result: Mapping[str, Any]) -> str:
    """A line per point, in Markdown."""
    head = (
        "trained", "steps", "settings", "copied", "by training seed", "alignment, not copied",
        "alignment, unseen", "loss, seen once", "loss, unseen", "skipped", "samples",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for point in result["points"]:
        settings = ", ".join(f"{k} {v:g}" for k, v in point["settings"].items())
        copied = point["copied"]
        cells = [
            point["arm"], f"{point['steps']:,}", settings,
            f"{copied['mean']:.3f} ({copied['low']:.3f} to {copied['high']:.3f})",
            ", ".join(f"{value:.3f}" for value in point["by_seed"]),
            *(format_number(point[name]) for name in ("alignment_not_copied", "alignment_unseen")),
            *(format_number(point[name], 4) for name in ("loss_once", "loss_unseen")),
            f"{point['skipped']:.3f}", f"{point['samples']:,}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def save(result: Mapping[str, Any]) -> None:
    """Ship a frontier: assets/demo/frontier.json, and the table of docs/training.md."""
    page = paths.page("training.md")
    atomic.json(results_file(), result)
    atomic.text(page, refresh(page.read_text("utf-8"), result))


def results_file() -> Path:
    """Where the shipped points stand."""
    return paths.demo() / "frontier.json"


def refresh(text: str, result: Mapping[str, Any]) -> str:
    """A page with its table brought up to date; what stands outside the marks is left alone."""
    return replace_between(text, BEGIN, END, frontier_table(result))


def format_number(value: float | None, digits: int = 3) -> str:
    """A figure; nothing where there is none."""
    return "" if value is None else f"{value:.{digits}f}"
