"""Models of full size: `python scripts/benchmark.py real --json`.

Stable Diffusion 1.4 and 2.1 with random weights, four methods on one seed, a descriptor of SSCD's
size and, for the estimates, a decoder of TAESD's. `outside_unet_share`: the part of the steps
after the first, which bears the start, spent outside the UNet; `outside_unet_share_whole` counts
start and finished pictures, too, and `..._predicted` says what it comes to in 50 steps, by FLOPs.
`compare_vs_diffusers`: the whole comparison over a call of the stock pipeline for each picture.
All of it in seconds of this process, which others on the machine do not lengthen; wall clock
stands beside.

A run needs the memory of the weights (4 to 5 GB) and about 2 GB more; the pipelines are kept in
--cache.
"""

import argparse
import gc
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline

from benchmarks import full_size
from benchmarks.compare import METHODS, PROMPT, Clock
from benchmarks.measure import environment, peak_mib
from memviz import resources
from memviz.comparison.compare import compare
from memviz.comparison.request import ComparisonRequest
from memviz.data import corpus
from memviz.guidance.spec import make_specs
from memviz.models import loading
from memviz.models.chunks import BUDGET
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.descriptors.descriptor import Descriptor
from memviz.retrieval.descriptors.preprocess import Preprocess
from memviz.retrieval.descriptors.presets import Preset
from memviz.retrieval.index.index import Index
from memviz.runs import store

GOALS = {"outside_unet_share": 0.12, "compare_vs_diffusers": 0.75, "peak_16_cells_gib": 6}
CARD = {  # NVIDIA's Ada whitepaper; the share of the rate is an assumption
    "name": "GeForce RTX 4090, 24 GB",
    "teraflops": 165.2,  # float16 with float32 sums, dense
    "share_reached": 0.4,
}
CELLS, STEPS = 16, 50  # of the prediction


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure."""
    parser.add_argument("--models", default="sd-1.4,sd-2.1", help="of these (%(default)s)")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/memviz-benchmark")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--count-only", action="store_true", help="FLOPs and memory, no pictures")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures, one model after the other."""
    found: dict[str, Any] = {"goals": GOALS, "steps": args.steps, "methods": METHODS}
    for name in args.models.split(","):
        parts = full_size.costs(name)
        found[name] = {"parts": parts, **predict(name, parts)}
        if not args.count_only:
            found[name] |= measure(name, full_size.build(name, args.cache), args.steps)
        gc.collect()
    return found


def predict(name: str, parts: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What FLOPs and peaks come to: shares in 50 steps, memory of 16 cells, time on a card."""
    pair, own = 2 * parts["unet"]["gflop"], parts["own_decoder"]["gflop"]
    look = parts["taesd"]["gflop"] + parts["descriptor"]["gflop"]
    slow = own + parts["descriptor"]["gflop"]
    total = STEPS * (pair + look) + own
    rows = {"unet": 2 * CELLS, "own_decoder": CELLS, "taesd": CELLS}
    peaks = {
        part: parts[part]["mib"] * min(count, max(1, int(BUDGET / 2**20 // parts[part]["mib"])))
        for part, count in rows.items()
    }
    seconds = CELLS * total / 1e3 / (CARD["teraflops"] * CARD["share_reached"])
    return {
        "outside_unet_share_predicted": {
            "preview": 1 - STEPS * pair / total,
            "preview_steps_alone": look / (pair + look),
            "own_decoder": 1 - STEPS * pair / (STEPS * (pair + slow) + own),
        },
        "peak_16_cells_gib": max(peaks.values()) / 2**10,
        "prediction": {"card": CARD, "cells": CELLS, "steps": STEPS, "seconds": seconds}
        | {"side": 8 * full_size.SIDES[name], "shared_evaluations": "none, the worst case"},
    }


def measure(name: str, folder: Path, steps: int) -> dict[str, Any]:
    """One comparison, and the stock pipeline on the same pictures."""
    model = loading.load(str(folder), "cpu")
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as place:
        AutoencoderTiny().save_pretrained(f"{place}/taesd")
        request = ComparisonRequest(
            [PROMPT], make_specs(METHODS), (0,), steps, model=str(folder), decoder=f"{place}/taesd"
        )
        detector = make_detector(Path(place) / "corpus")
        unet, marks = Clock(time.process_time), list[tuple[float, float]]()
        start, wall = time.process_time(), time.perf_counter()
        with unet.on((model.pipe.unet, "forward")):
            for _ in compare(request, Path(place) / "run", model=model, detector=detector):
                marks.append((time.process_time() - start, unet.seconds))
        calls = store.open_folder(Path(place) / "run").record.unet_evaluations
    total, (first, last) = marks[-1][0], (marks[0], marks[-2])
    ours = {"process": total, "wall": time.perf_counter() - wall}
    stock, memory = run_stock(model.pipe, len(METHODS), steps), peak_mib()
    return {
        "outside_unet_share": 1 - (last[1] - first[1]) / (last[0] - first[0]),
        "outside_unet_share_whole": 1 - unet.seconds / total,
        "compare_vs_diffusers": total / stock["process"],
        "seconds": {"compare": ours, "diffusers": stock, "unet": unet.seconds},
        "unet_evaluations": calls,
        "peak_mib": memory,
        "environment": environment(model),
    }


def run_stock(pipe: Any, pictures: int, steps: int) -> dict[str, float]:  # noqa: ANN401
    """Seconds of the stock pipeline, a call for each picture."""
    parts = {"safety_checker": None, "feature_extractor": None}
    stock = StableDiffusionPipeline(**(pipe.components | parts), requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    start, wall = time.process_time(), time.perf_counter()
    for _ in range(pictures):
        draw = torch.Generator().manual_seed(0)
        stock(PROMPT, num_inference_steps=steps, guidance_scale=7.5, generator=draw)
    return {"process": time.process_time() - start, "wall": time.perf_counter() - wall}


def make_detector(folder: Path) -> CopyDetector:
    """Sixteen pictures of the demo, looked at by a random ResNet-50."""
    demo = corpus.load(resources.CORPUS)
    folder.mkdir()
    for id in demo.ids[:16]:
        demo.copy(id, folder / f"{id:05}")
    way = Preprocess(square=288)
    preset = Preset("resnet-50", 2048, way, 0.75, 0.5, "random weights")
    descriptor, images = Descriptor(preset, full_size.ResNet(), "0" * 64), corpus.load(str(folder))
    return CopyDetector(images, descriptor, Index.build(images, descriptor))


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    said = []
    for name, found in result.items():
        if not isinstance(found, dict) or "parts" not in found:
            continue
        flops = ", ".join(f"{part} {v['gflop']:,.0f}" for part, v in found["parts"].items())
        shares = found["outside_unet_share_predicted"]
        said.append(
            f"{name}: GFLOP a row: {flops}; peak of 16 cells {found['peak_16_cells_gib']:.1f} GiB; "
            f"outside the UNet in {STEPS} steps {shares['preview']:.3f} by the preview, "
            f"{shares['own_decoder']:.3f} without; {found['prediction']['seconds']:.0f} s for "
            f"{CELLS} pictures on a {CARD['name']}"
        )
        if "compare_vs_diffusers" in found:
            said.append(
                f"{name} measured in {result['steps']} steps: outside the UNet "
                f"{found['outside_unet_share']:.3f} of the steps (goal 0.12), "
                f"{found['outside_unet_share_whole']:.3f} of all; against diffusers "
                f"{found['compare_vs_diffusers']:.3f} (goal 0.75); {found['peak_mib']:,.0f} MiB"
            )
    return "\n".join(said)
