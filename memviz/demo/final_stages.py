"""The stages after training: index and thresholds, the methods' parameters, bands, example runs."""

import json
import shutil
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from memviz import resources
from memviz.comparison.compare import compare
from memviz.comparison.request import ComparisonRequest
from memviz.comparison.sweep import request_sweep
from memviz.demo import report, scenes
from memviz.demo.scale import Builder
from memviz.guidance.spec import MethodSpec
from memviz.io import atomic
from memviz.retrieval.descriptors import descriptor, presets
from memviz.retrieval.index import background, index

COPIED_QUANTILE, CLOSE_QUANTILE = 0.99, 0.9
DUPLICATE = 0.985  # from here on no group of the demo's images mixes two contents
SCALE = 2.0  # at 7.5 this small model's pictures burn out
RISES = (0, 0.1, 0.25)
CANDIDATES = {
    "stp": [f"late={w},at={t}" for w in (6, 7) for t in (450, 425, 400)],
    "dtp": [
        f"late={SCALE:g},rise=0,latest=0",  # the paper's, as a control
        *(f"late={w},rise={r},latest={t}" for w in (6, 7) for r in RISES for t in (350, 400)),
    ],
    "og": [f"late={w},at={t}" for w in (5, 6, 7) for t in (750, 700)],
}
SWEPT = range(200, 1_000, 200)  # transition timesteps of the example sweep
COPIES_ALLOWED = 0.05  # of the prompts chosen on, for at most 0.1 of all; the best aligned wins
BANDS = ("ddim", "dpm", "pndm")  # schedulers with benign bands
CONTROLS = {  # the prompt groups and seeds that the band of a style's captions is measured on
    "title": (("heldout",), (10, 11, 12, 13)),
    "plain": (("heldout_plain", "heldout_single"), (10, 11)),
}


def build_index(builder: Builder) -> None:
    """Embed the corpus; its own background sets the thresholds of the demo descriptor."""
    from memviz.data.corpus import load

    look, images = descriptor.descriptor("demo"), load("demo-10k")
    made = index.Index.build(images, look)
    null = made.background[own_caption(images.captions)]
    quantiles = COPIED_QUANTILE, CLOSE_QUANTILE
    copied, close = (round(background.threshold(null, q), 3) for q in quantiles)
    source = (
        "of the demo's images with a caption of their own, the nearest other is "
        f"{copied:.2f} similar or more for 1 in 100, {close:.2f} or more for 1 in 10"
    )
    marks = {"copied": copied, "close": close, "source": source}
    preset = replace(look.preset, **marks, duplicate=DUPLICATE)
    presets.write(preset, builder.assets / "descriptor")
    made.save(builder.assets / "index")
    resources.forget()


def own_caption(captions: Sequence[str]) -> np.ndarray:
    """Which captions appear once: the others belong to near-duplicates by construction."""
    times = Counter(captions)
    return np.array([times[c] == 1 for c in captions])


def tune(builder: Builder) -> None:
    """Each method's parameters for this model, chosen on every second prompt."""
    write_settings(builder, methods={"cfg": f"scale={SCALE:g}"})
    judge = report.Report(seeds=(0, 1), steps=builder.scale.steps)
    chosen = {key: best(judge, key) for key in CANDIDATES}
    methods = {"cfg": f"scale={SCALE:g}"} | {k: v["parameters"] for k, v in chosen.items()}
    write_settings(builder, methods=methods)
    atomic.json(builder.assets / "tuning.json", chosen)


def best(judge: report.Report, key: str) -> dict[str, Any]:
    """The candidate picked, and what each came to."""
    methods = [MethodSpec.parse(f"{key}:{text}").guidance for text in CANDIDATES[key]]
    halves = (judge.prompts[group][::2] for group in ("duplicated", "heldout"))
    copies, others = (judge.by_method(half, methods, judge.seeds) for half in halves)
    tried = []
    for text, copy, other in zip(CANDIDATES[key], copies, others, strict=True):
        estimates = {
            "copied": judge.copied(copy),
            "alignment": judge.alignment(copy),
            "alignment_heldout": judge.alignment(other),
        }
        means = {name: e.to_json()["mean"] for name, e in estimates.items()}
        tried.append({"parameters": text, **means})
        print(key, tried[-1], flush=True)
    return picked(tried) | {"tried": tried}


def picked(tried: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The best-aligned candidate among those that copy little, or the one that copies least."""
    allowed = [t for t in tried if t["copied"] <= COPIES_ALLOWED]
    if not allowed:
        return min(tried, key=lambda t: t["copied"])
    return max(allowed, key=lambda t: t["alignment"] + t["alignment_heldout"])


def bands(builder: Builder) -> None:
    """The 5 to 95 % band of the magnitude over prompts that nothing was trained on, under CFG."""
    judge, found = report.Report(steps=builder.scale.steps), []
    for name, (style, (groups, seeds)) in product(BANDS, CONTROLS.items()):
        kind, like = scenes.KINDS[style]
        requests = [r for group in groups for r in judge.requests(group, ["cfg"], seeds)]
        made = judge.make(requests, scheduler=name)
        curves = [m.signals["magnitude"] for m in made]
        low, high = np.percentile(curves, (5, 95), axis=0).round(4).tolist()
        found.append({
            "kind": kind, "like": like, "scheduler": name, "steps": judge.steps,
            "low": low, "high": high, "runs": len(requests), "model": judge.model.hash,
            "unit": judge.model.pipe.scheduler.config.prediction_type,
        })  # fmt: skip
    write_settings(builder, bands=found)
    atomic.json(builder.work / "bands.json", found)


def examples(builder: Builder) -> None:
    """Finished runs that the app opens with: copied, swapped, never seen, and without a minimum.

    The last is a sweep, with which the Transition tab opens.
    """
    prompts = json.loads((builder.assets / "prompts.json").read_text())
    copied, steps = prompts["duplicated"][0], builder.scale.steps
    lonely = without_minimum(report.Report(steps=steps))
    asked = {
        "A copied prompt": ComparisonRequest([copied], seeds=(0, 1), steps=steps),
        "Its words swapped": ComparisonRequest([prompts["swapped"][0]], seeds=(0, 1), steps=steps),
        "Never seen": ComparisonRequest([prompts["heldout"][0]], seeds=(0, 1), steps=steps),
        "No first minimum": ComparisonRequest([lonely], seeds=(0,), steps=steps),
        "Sweep of a copied prompt": request_sweep(copied, {"at": SWEPT}, seeds=(0, 1), steps=steps),
    }
    shutil.rmtree(builder.assets / "runs", ignore_errors=True)
    for number, (title, request) in enumerate(asked.items(), 1):
        run_id = f"20260101-00000{number}-{sha256(request.prompts[0].encode()).hexdigest()[:16]}"
        folder = builder.assets / "runs" / run_id
        deque(compare(request, folder, title=title), maxlen=0)
        shrink_sheets(folder)


def shrink_sheets(folder: Path) -> None:
    """Take a fifth off a run's x0 estimates: what ships has to stay small."""
    for place in folder.glob("steps/*.jpg"):
        with Image.open(place) as picture:
            picture.load()
        picture.save(place, quality=75, subsampling=0, optimize=True, progressive=True)


def without_minimum(judge: report.Report) -> str:
    """A held-out prompt for which the dynamic transition falls back, with the first seed."""
    asked = judge.requests("heldout", ["dtp"], (0,))[1:17]  # the first is an example already
    made = judge.make(asked)
    falls_back = (m for m in made if (c := m.trajectory.transition) and c.kind == "fallback")
    return next(falls_back, made[0]).request.prompt


def figures(builder: Builder) -> None:
    """The report that ships with the demo."""
    atomic.json(builder.assets / "report.json", report.report(steps=builder.scale.steps))


def write_settings(builder: Builder, **changes: Any) -> None:  # noqa: ANN401
    """Change entries of the model's memviz.json."""
    path = builder.assets / "model/memviz.json"
    known = json.loads(path.read_text()) if path.exists() else {"clip": "demo"}
    atomic.json(path, known | changes)
