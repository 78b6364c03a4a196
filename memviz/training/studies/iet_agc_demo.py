"""IET-AGC against plain fine-tuning and its own parts on the demo, with equal samples seen.

Every mode starts from the bundled pretrained UNet and learns the bundled corpus, in which some
scenes count several hundred times. What was finished before is read, not made again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from memviz import resources
from memviz.data.prompts import demo
from memviz.io import atomic
from memviz.jobs.files import read_json
from memviz.statistics import estimate_mean, estimate_share
from memviz.training.config import PRESETS, Config, from_json
from memviz.training.monitoring.probes import Judge, ProbeResult, of_corpus
from memviz.training.trainer import Run, opened

MODES = ("plain", "iet-agc", "agc", "iet")
SEEDS = (0, 1, 2, 3)
STEPS = 25  # of denoising
SINGLES = 64  # captions that appear once, for the Fréchet distance
SETTINGS = {
    "rounds": 6,
    "shards": 2,
    "local_steps": 100,
    "ratio": 1.5,
    "schedule": "cosine",
    "hold_out": 0,
    "repeated": 0,
    "checkpoint_every": 100,
    "probes": "none",
}

Note = Callable[[str], None]


def settings(**changes: Any) -> Config:  # noqa: ANN401
    """The settings that all modes share."""
    return PRESETS["demo"].config(**{**SETTINGS, **changes})


def reproduce(config: Config, out: Path, note: Note) -> Iterator[tuple[str, dict[str, Any]]]:
    """The figures of the model before and after each mode, as they come."""
    for mode in (None, *MODES):
        name = "before" if mode is None else mode.replace("-", "_")
        own = replace(config, mode=mode) if mode else config
        found = read_json(out / f"{name}.json")
        if found is None or from_json(found.pop("config")) != own:
            note(f"{name}: {own.samples if mode else 0} samples")
            found = trained(own, out / name, note) if mode else untrained(own, out, note)
            atomic.json(out / f"{name}.json", found | {"config": own.to_json()})
        yield name, found


def untrained(config: Config, out: Path, note: Note) -> dict[str, Any]:
    """The model before any of it."""
    out.mkdir(parents=True, exist_ok=True)
    return judged(Run(config, out, note))


def trained(config: Config, out: Path, note: Note) -> dict[str, Any]:
    """One mode, from its newest checkpoint if there is one."""
    run = opened(config, out, True, note)
    for event in run.events(lambda: False):
        if event["event"] == "step" and event["step"] % 50 == 0:
            note(
                f"{config.mode} {event['step']}: loss {event['loss']:.4f}, {event['seconds']:.0f} s"
            )
    return {
        **judged(run),
        **skipped(run),
        "samples_seen": config.samples,
        "seconds": round(run.seconds, 1),
    }


def judged(run: Run) -> dict[str, Any]:
    """Figures of the pictures that a run's model draws now."""
    detector = resources.load_detector(run.config.corpus, run.config.descriptor)
    judge = Judge(run.student.pipe, run.student.model.folder, detector, STEPS)
    singles = of_corpus(run.corpus.captions, run.data.times, 0)["single"][:SINGLES]
    duplicated = demo()["duplicated"]
    copies, others = judge.look(duplicated, SEEDS), judge.look(singles)
    assert others.alignment is not None  # the demo has a CLIP
    single = others.similarity >= detector.thresholds.copied
    once = detector.index.vectors[run.data.times == 1]
    return {
        **summarize_duplicated(copies, duplicated, detector.thresholds.copied),
        "alignment_single": estimate_mean(others.alignment).to_json(),
        "copied_single": estimate_share(single).to_json(),
        "frechet": round(frechet(others.vectors, once), 4),
    }


def summarize_duplicated(
    look: ProbeResult, prompts: Sequence[str], copied: float
) -> dict[str, Any]:
    """Figures of prompts that were each drawn with all seeds, with intervals over prompts."""
    assert look.alignment is not None  # the demo has a CLIP
    drawn = [prompt for prompt in prompts for _ in SEEDS]
    return {
        "copied": estimate_share(look.similarity >= copied, drawn).to_json(),
        "similarity_mean": estimate_mean(look.similarity, drawn).to_json(),
        "similarity_95pc": round(float(np.percentile(look.similarity, 95)), 4),
        "alignment": estimate_mean(look.alignment, drawn).to_json(),
    }


def skipped(run: Run) -> dict[str, float]:
    """Share of samples that the gates skipped, of pictures that count often and once."""
    seen, skips = run.training.seen()["pictures"].cpu().numpy()
    often = run.data.times > 1
    rates = {"skip_duplicated": often, "skip_single": ~often}
    return {k: round(float(skips[w].sum() / max(1, seen[w].sum())), 4) for k, w in rates.items()}


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance between Gaussians fitted to two sets of descriptor vectors (N, D)."""
    means = a.mean(0), b.mean(0)
    spreads = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.linalg.eigvals(spreads[0] @ spreads[1])  # of a product of two such: not negative
    cross = np.sqrt(np.clip(roots.real, 0, None)).sum()
    return float(((means[0] - means[1]) ** 2).sum() + np.trace(spreads[0] + spreads[1]) - 2 * cross)
