"""All methods on the same prompts and noise: what each does to copies and prompt, and its cost.

`python -m memviz remedies` measures the table of docs/methods.md again. Duplicated prompts are
those that had no part in tuning the demo's methods; every method runs at the parameters that its
paper or the model's own file states.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from memviz import resources
from memviz.data import prompts
from memviz.guidance.base import Guidance
from memviz.guidance.model_defaults import own
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.io import paths
from memviz.io.marks import replace_between
from memviz.retrieval.copy_detector import CopyDetector, best_similarity
from memviz.sampling.generate import denoise, finish
from memviz.sampling.types import Request
from memviz.statistics import estimate_mean, estimate_share, format_estimate

PROMPTS, SEEDS = 12, {"duplicated": (0, 1), "heldout": (0,)}
STEPS, SCHEDULER = 50, "ddim"
FIGURES = ("similarity", "copied", "alignment")  # each with its interval
BEGIN, END = "<!-- remedies -->", "<!-- /remedies -->"


@dataclass(frozen=True)
class Plan:
    """What to measure on: groups of (prompt, seed), a model and its judges."""

    groups: Mapping[str, Sequence[tuple[str, int]]]
    model: str = "demo"
    corpus: str = "demo-10k"
    descriptor: str = "demo"
    steps: int = STEPS
    scheduler: str = SCHEDULER
    methods: Sequence[str] = field(default_factory=lambda: tuple(METHODS))


def results_file() -> Path:
    """Where the demo's measured table stands."""
    return paths.demo() / "remedies.json"


def demo() -> Plan:
    """The demo's duplicated prompts that no method was tuned on, and held-out ones."""
    known = prompts.demo()
    chosen = {"duplicated": known["duplicated"][1::2], "heldout": known["heldout"]}
    return Plan({g: [(p, s) for p in chosen[g][:PROMPTS] for s in SEEDS[g]] for g in SEEDS})


def remedies(plan: Plan, note: Callable[[str], None] = print) -> dict[str, Any]:
    """A row per method: similarity, copied share, alignment, evaluations, seconds against CFG."""
    model, detector = (
        resources.load_model(plan.model),
        resources.load_detector(plan.corpus, plan.descriptor),
    )
    rows, settings = {}, own(model)
    for text in plan.methods:
        method = MethodSpec.parse(text, settings)
        note(method.label)
        row = measured(model, detector, plan, method.guidance)
        rows[method.key] = {"spec": str(method), **row}
    return {
        "rows": timed(rows),
        "model": model.hash,
        "corpus": detector.corpus.hash,
        "descriptor": detector.descriptor.hash,
        "threshold": detector.thresholds.copied,
        "pictures": {group: len(pairs) for group, pairs in plan.groups.items()},
        "prompts": {group: len({p for p, _ in pairs}) for group, pairs in plan.groups.items()},
        "pairs": {group: [list(pair) for pair in pairs] for group, pairs in plan.groups.items()},
        "steps": plan.steps,
        "scheduler": plan.scheduler,
    }


def timed(rows: dict[str, Any]) -> dict[str, Any]:
    """The rows with their seconds as a multiple of the first one's."""
    base = next(iter(rows.values()))["seconds"]
    return {
        k: row | {"seconds_to_first": round(row["seconds"] / base, 3)} for k, row in rows.items()
    }


def merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Rows measured again in place of the old ones; only the new where anything else differs."""
    if any(old.get(name) != value for name, value in new.items() if name != "rows"):
        return dict(new)
    rows = {key: (old["rows"] | new["rows"]).get(key) for key in METHODS}
    return {**new, "rows": timed({key: row for key, row in rows.items() if row})}


def measured(model: Any, detector: CopyDetector, plan: Plan, guidance: Guidance) -> dict[str, Any]:  # noqa: ANN401
    """One method on all groups, each in one batch."""
    found, seconds, pictures = {}, 0.0, 0
    for group, pairs in plan.groups.items():
        requests = [Request(p, s, guidance) for p, s in pairs]
        start = time.process_time()  # of this process: others on the machine do not count
        denoised = denoise(
            model, requests, steps=plan.steps, scheduler=plan.scheduler, detector=detector
        )
        seconds, pictures = seconds + time.process_time() - start, pictures + len(pairs)
        made = finish(model, denoised, detector)
        similarity = np.array([best_similarity(one.matches) for one in made])
        prompts = [prompt for prompt, _ in pairs]
        alignment = resources.load_clip().score([one.image for one in made], prompts)
        found[group] = {
            "similarity": estimate_mean(similarity, prompts).to_json(),
            "copied": estimate_share(similarity >= detector.thresholds.copied, prompts).to_json(),
            "alignment": estimate_mean(alignment, prompts).to_json(),
            "evaluations": round(float(np.mean([path.evaluations for path in denoised])), 1),
            "pictures": {
                "similarity": np.round(similarity, 4).tolist(),
                "alignment": np.round(alignment, 4).tolist(),
            },
        }
    return found | {"seconds": round(seconds / pictures, 4)}


def markdown(result: Mapping[str, Any]) -> str:
    """The table as docs/methods.md shows it."""
    head = (
        "| method | similarity | copied | alignment | evaluations | seconds to CFG "
        "| similarity, held out | copied, held out | alignment, held out |"
    )
    lines = [head, "|---" * 9 + "|"]
    for key, row in result["rows"].items():
        dup, held = row["duplicated"], row["heldout"]
        cells = [
            METHODS[key].label,
            *(format_estimate(dup[name]) for name in FIGURES),
            f"{dup['evaluations']:g}",
            f"{row['seconds_to_first']:.2f}",
            *(format_estimate(held[name]) for name in FIGURES),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def context(result: Mapping[str, Any]) -> str:
    """What the table was measured on, in a sentence."""
    many = ", ".join(f"{n} {g} pictures" for g, n in result["pictures"].items())
    return (
        f"Measured on {many}; model {result['model'][:12]}, {result['scheduler']}, "
        f"{result['steps']} steps, copies from a similarity of {result['threshold']:.3f} on. "
        f"{describe_intervals(result)} Evaluations are what a picture would need alone."
    )


def describe_intervals(result: Mapping[str, Any]) -> str:
    """What stands in brackets; older results did not keep the pictures' own values."""
    if all("pictures" in row[group] for row in result["rows"].values() for group in SEEDS):
        return "In brackets 95 % intervals over prompts: seeds count as one where they agree."
    return (
        "In brackets 95 % intervals: of copied shares with a prompt's pictures taken as one, of "
        "similarity and alignment still over pictures, which is too narrow where a prompt has "
        "two; pictures' own values were not kept when this was measured."
    )


def refresh(text: str, result: Mapping[str, Any]) -> str:
    """A page with its table brought up to date; what stands outside the marks is left alone."""
    return replace_between(text, BEGIN, END, f"{markdown(result)}\n\n{context(result)}")
