"""A hand-made run folder as the app writes them: pictures of discs, made-up curves, no model."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from memviz.retrieval.verdict import CopyThresholds, judge_similarity
from memviz.runs import store, trace
from memviz.runs.record import CellRecord, MatchRecord, RunRecord
from tests.support.records import cell_record, run_record

TILE, COLUMNS = 64, 10
METHODS = {
    "cfg": ("Classifier-free guidance", "cfg:scale=7.5", 0, "none"),
    "stp": ("Static transition", "stp:early=0,late=7.5,at=500", 25, "static"),
    "dtp": ("Dynamic transition", "dtp:early=0,late=7.5", 18, "minimum"),
    "og": ("Opposite guidance", "og:early=-2,late=7.5,transition=static,at=650", 39, "fallback"),
}
THRESHOLDS = CopyThresholds(0.83, 0.7, "1 in 1,000 training images has a twin above")


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


def match(number: int, similarity: float) -> MatchRecord:
    """One matched training picture."""
    return MatchRecord(
        id=number,
        caption=f"vintage disc poster {number} <b>& friends</b>",
        similarity=round(similarity, 3),
        image=f"matches/{number}.png",
    )


def cell(number: int, key: str, seed: int, prompt: str, timesteps: list[int]) -> CellRecord:
    """One finished cell: CFG copies image 17, the others make pictures of their own."""
    label, spec, at, switch = METHODS[key]
    at = at * len(timesteps) // 50
    best = 0.97 - 0.01 * seed if key == "cfg" else 0.41 + 0.05 * number
    said = judge_similarity(best, 300, THRESHOLDS)
    return cell_record(
        number=number,
        prompt=prompt,
        method=key,
        label=label,
        spec=spec,
        seed=seed,
        similarity=round(best, 3),
        matches=[match(17 + i, best - 0.1 * i) for i in range(6)],
        verdict=said.word,
        kind=said.kind,
        reason=said.reason,
        prompt_signal={
            "word": "Looks memorized",
            "reason": "6.1 is above 2.3",
            "kind": "memorized",
            "value": 6.1,
        },
        transition_step=at if switch != "none" else None,
        transition_timestep=timesteps[at] if switch != "none" else None,
        transition_kind=switch,
        alignment=0.31,
        image=f"images/{number}.png",
        sheet=f"steps/{number}.jpg",
    )


def rows(cells: list[CellRecord], timesteps: list[int]) -> pa.Table:
    """Plausible curves, one row per cell per step."""
    found = []
    for c in cells:
        off = c.transition_step or 0
        for step, t in enumerate(timesteps):
            x = step / len(timesteps)
            level = 7 - 4 * x if c.method == "cfg" else 3.5 - 2 * math.sin(3 * x)
            seen = c.similarity * (1 - math.exp(-5 * x))
            found.append(
                {
                    "cell": c.number,
                    "step": step,
                    "t": t,
                    "magnitude": level + 0.1 * c.seed,
                    "magnitude_mean": level,
                    "scale": 7.5 if step >= off else (-2.0 if c.method == "og" else 0.0),
                    "cosine": 0.2,
                    "latent_change": 0.1,
                    "x0_change": 0.1 * (1 - x),
                    "similarity": seen,
                    "nearest": 17 if x > 0.3 else 23,
                    "similarity_final": seen * 0.99,
                }
            )
    return pa.Table.from_pylist(found, schema=trace.SCHEMA)


def record(run_id: str, cells: list[CellRecord], timesteps: list[int], prompt: str) -> RunRecord:
    """What run.json says."""
    seeds = sorted({c.seed for c in cells})
    return run_record(
        id=run_id,
        seconds=7.4,
        title=prompt,
        request={
            "prompts": [prompt],
            "methods": list(dict.fromkeys(c.spec for c in cells)),
            "seeds": seeds,
            "steps": len(timesteps),
            "scheduler": "ddim",
            "model": "demo",
            "corpus": "demo-10k",
            "descriptor": "demo",
        },
        corpus={"name": "demo-10k", "hash": "89abcdef", "images": 300},
        descriptor={"preset": "demo", "dims": 128},
        thresholds=THRESHOLDS,
        noise_hash={str(seed): f"{seed:04x}" for seed in seeds},
        unet_evaluations=260,
        timesteps=timesteps,
        bands={"magnitude": {"low": [1.0] * len(timesteps), "high": [3.0] * len(timesteps)}},
        tile=TILE,
        sheet_columns=COLUMNS,
        cells=cells,
    )


def make(
    root: Path,
    run_id: str = "20250101-120000-0123456789abcdef",
    seeds: tuple[int, ...] = (0, 1),
    steps: int = 50,
    prompt: str = "vintage disc poster with <script>alert(1)</script>",
) -> Path:
    """Write one finished run of all four methods under `root` and return its folder."""
    folder = root / run_id
    timesteps = [round(999 - i * 1000 / steps) for i in range(steps)]
    pairs = [(seed, key) for seed in seeds for key in METHODS]
    cells = [cell(n, key, seed, prompt, timesteps) for n, (seed, key) in enumerate(pairs)]
    run = store.create(folder, record(run_id, cells, timesteps, prompt))
    for c in cells:
        final = noisy(picture(17 if c.method == "cfg" else 40 + c.number), 0.05, c.number)
        final.save(folder / c.image)
        sheet(final, steps, c.number).save(folder / c.sheet, quality=95)
        for m in c.matches:
            picture(m.id).save(folder / m.image)
    store.write(store.Run(folder, run.record, rows(cells, timesteps)))
    return folder


if __name__ == "__main__":
    import sys

    print(make(Path(sys.argv[1])))
