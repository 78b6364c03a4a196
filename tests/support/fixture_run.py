"""A hand-made run folder as the app writes them: pictures of discs, made-up curves, no model."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

TILE, COLUMNS = 64, 10
METHODS = {
    "cfg": ("Classifier-free guidance", "cfg:scale=7.5", 0, "none"),
    "stp": ("Static transition", "stp:early=0,late=7.5,at=500", 25, "static"),
    "dtp": ("Dynamic transition", "dtp:early=0,late=7.5", 18, "minimum"),
    "og": ("Opposite guidance", "og:early=-2,late=7.5,transition=static,at=650", 39, "fallback"),
}
THRESHOLDS = {"copied": 0.83, "close": 0.7, "source": "1 in 1,000 training images has a twin above"}


def picture(number: int) -> Image.Image:
    """Corpus image `number`: two discs on a plain background."""
    random = np.random.default_rng(number)
    image = Image.new("RGB", (TILE, TILE), tuple(random.integers(60, 220, 3).tolist()))
    draw = ImageDraw.Draw(image)
    for _ in range(2):
        x, y, r = *random.integers(8, 44, 2).tolist(), int(random.integers(6, 14))
        draw.ellipse((x, y, x + 2 * r, y + 2 * r), fill=tuple(random.integers(0, 255, 3).tolist()))
    return image


def noisy(image: Image.Image, share: float, seed: int) -> Image.Image:
    """The picture with `share` of it replaced by noise."""
    noise = np.random.default_rng(seed).integers(0, 255, (TILE, TILE, 3))
    return Image.fromarray((np.asarray(image) * (1 - share) + noise * share).astype("uint8"))


def sheet(image: Image.Image, steps: int, seed: int) -> Image.Image:
    """All x0 estimates of a cell in one picture, row by row."""
    whole = Image.new("RGB", (COLUMNS * TILE, math.ceil(steps / COLUMNS) * TILE))
    for step in range(steps):
        tile = noisy(image, max(0.0, 0.9 - 1.1 * step / steps), seed + step)
        whole.paste(tile, (step % COLUMNS * TILE, step // COLUMNS * TILE))
    return whole


def match(number: int, similarity: float) -> dict:
    """One matched training picture."""
    return {
        "id": number,
        "caption": f"vintage disc poster {number} <b>& friends</b>",
        "similarity": round(similarity, 3),
        "image": f"matches/{number}.png",
    }


def cell(number: int, key: str, seed: int, prompt: str, timesteps: list[int]) -> dict:
    """One finished cell: CFG copies image 17, the others make pictures of their own."""
    label, spec, at, kind = METHODS[key]
    at = at * len(timesteps) // 50
    copied = key == "cfg"
    best = 0.97 - 0.01 * seed if copied else 0.41 + 0.05 * number
    matches = [match(17 + i, best - 0.1 * i) for i in range(6)]
    word = "Copied" if copied else "Close" if best >= THRESHOLDS["close"] else "No copy found"
    word = f"{word} among 300 images" if word.startswith("No") else word
    return {
        "cell": number,
        "prompt": prompt,
        "method": key,
        "label": label,
        "spec": spec,
        "seed": seed,
        "state": "done",
        "similarity": round(best, 3),
        "match": matches[0],
        "matches": matches,
        "verdict": word,
        "reason": f"{best:.2f} is {'at least' if copied else 'below'} 0.83, the copy mark.",
        "prompt_signal": {"word": "Looks memorized", "reason": "6.1 is above 2.3", "value": 6.1},
        "transition_step": at if kind != "none" else None,
        "transition_timestep": timesteps[at] if kind != "none" else None,
        "transition_kind": kind,
        "alignment": 0.31,
        "image": f"images/{number}.png",
        "sheet": f"steps/{number}.jpg",
    }


def trace(cells: list[dict], timesteps: list[int]) -> pa.Table:
    """Plausible curves, one row per cell per step."""
    rows = []
    for c in cells:
        off = c["transition_step"] or 0
        for step, t in enumerate(timesteps):
            x = step / len(timesteps)
            level = 7 - 4 * x if c["method"] == "cfg" else 3.5 - 2 * math.sin(3 * x)
            seen = c["similarity"] * (1 - math.exp(-5 * x))
            rows.append(
                {
                    "cell": c["cell"],
                    "step": step,
                    "t": t,
                    "magnitude": level + 0.1 * c["seed"],
                    "magnitude_mean": level,
                    "scale": 7.5 if step >= off else (-2.0 if c["method"] == "og" else 0.0),
                    "cosine": 0.2,
                    "latent_change": 0.1,
                    "x0_change": 0.1 * (1 - x),
                    "similarity": seen,
                    "nearest": 17 if x > 0.3 else 23,
                    "similarity_final": seen * 0.99,
                }
            )
    return pa.Table.from_pylist(rows)


def info(run_id: str, cells: list[dict], timesteps: list[int], prompt: str) -> dict:
    """What run.json says."""
    seeds = sorted({c["seed"] for c in cells})
    specs = list(dict.fromkeys(c["spec"] for c in cells))
    return {
        "schema": 1,
        "id": run_id,
        "state": "done",
        "error": None,
        "created": "2025-01-01T12:00:00+00:00",
        "seconds": 7.4,
        "title": prompt,
        "asked": {
            "prompts": [prompt],
            "methods": specs,
            "seeds": seeds,
            "steps": len(timesteps),
            "scheduler": "ddim",
            "model": "demo",
            "corpus": "demo-10k",
            "descriptor": "demo",
        },
        "model": {"name": "demo", "hash": "0123abcd", "parameters": 10_934_348},
        "corpus": {"name": "demo-10k", "hash": "89abcdef", "images": 300},
        "descriptor": {"preset": "demo", "dims": 128},
        "thresholds": THRESHOLDS,
        "noise_hash": {str(seed): f"{seed:04x}" for seed in seeds},
        "unet_evaluations": 260,
        "versions": {"memviz": "0.1.0"},
        "timesteps": timesteps,
        "band": {"low": [1.0] * len(timesteps), "high": [3.0] * len(timesteps)},
        "tile": TILE,
        "sheet_columns": COLUMNS,
        "cells": cells,
    }


def make(
    root: Path,
    run_id: str = "20250101-120000-0123456789abcdef",
    seeds: tuple[int, ...] = (0, 1),
    steps: int = 50,
    prompt: str = "vintage disc poster with <script>alert(1)</script>",
) -> Path:
    """Write one finished run of all four methods under `root` and return its folder."""
    folder = root / run_id
    for name in ("images", "steps", "matches"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    timesteps = [round(999 - i * 1000 / steps) for i in range(steps)]
    pairs = [(seed, key) for seed in seeds for key in METHODS]
    cells = [cell(n, key, seed, prompt, timesteps) for n, (seed, key) in enumerate(pairs)]
    for c in cells:
        final = noisy(picture(17 if c["method"] == "cfg" else 40 + c["cell"]), 0.05, c["cell"])
        final.save(folder / c["image"])
        sheet(final, steps, c["cell"]).save(folder / c["sheet"], quality=95)
        for m in c["matches"]:
            picture(m["id"]).save(folder / m["image"])
    pq.write_table(trace(cells, timesteps), folder / "trace.parquet")
    (folder / "run.json").write_text(json.dumps(info(run_id, cells, timesteps, prompt), indent=1))
    return folder


if __name__ == "__main__":
    import sys

    print(make(Path(sys.argv[1])))
