"""What run.json says of a run before its first step: what was asked, and with what it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from memviz.io.versions import versions
from memviz.runs.sheet import COLUMNS
from memviz.sampling.noise import noise, noise_hash

if TYPE_CHECKING:
    from memviz.comparison.request import ComparisonRequest
    from memviz.detection.reference_bands import Found
    from memviz.models.loading import Model
    from memviz.retrieval.copy_detector import CopyDetector

LIBRARIES = ("torch", "diffusers", "transformers", "gradio")


def asked(
    ask: ComparisonRequest, model: Model, methods: Mapping[str, str], timesteps: Sequence[int]
) -> dict[str, Any]:
    """What was asked, of which model, from which noise; `methods` as the model spells them."""
    prints = {str(s): noise_hash(noise(model.pipe, [s])[0]) for s in ask.seeds}
    return {
        "state": "running",
        "error": None,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": ask.prompts[0],
        "asked": ask.to_json(methods),
        "model": {name: getattr(model, name) for name in ("name", "hash", "parameters")},
        "noise_hash": prints,
        "timesteps": list(timesteps),
        "device": str(model.pipe.device),
        "versions": versions(LIBRARIES),
        "unet_evaluations": 0,
        "seconds": 0.0,
    }


def judges(detector: CopyDetector | None, found: Found, prompts: Sequence[str]) -> dict[str, Any]:
    """Corpus, descriptor, thresholds and bands: what every figure is held against."""
    signals = found.of(*prompts).signals
    told = {
        "band": signals.get("magnitude"),
        "bands": signals,
        "band_note": found.note(*prompts),
    }
    if detector is None:
        return told | {"corpus": None, "descriptor": None, "thresholds": None}
    corpus, look = detector.corpus, detector.descriptor
    return told | {
        "corpus": {"name": corpus.name, "hash": corpus.hash, "images": len(corpus)},
        "descriptor": {
            "preset": look.preset.name,
            "dims": look.preset.dims,
            "hash": look.hash,
            "note": detector.misfit,
        },
        "thresholds": vars(detector.thresholds),
    }


def sheets(model: Model, most: int) -> dict[str, int]:
    """How a sheet of x0 estimates is laid out, its tiles `most` pixels wide at most."""
    side = model.pipe.unet.config.sample_size * model.pipe.vae_scale_factor
    return {"tile": min(most, side), "sheet_columns": COLUMNS}
