"""Which prompts are watched while a model trains, and how their pictures are judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from memviz import resources
from memviz.data.corpus import bundled
from memviz.data.prompts import demo
from memviz.errors import InputError
from memviz.guidance.model_defaults import settings
from memviz.guidance.spec import MethodSpec
from memviz.io.paths import expand
from memviz.models.protocols import Pipe
from memviz.retrieval.copy_detector import CopyDetector, best_similarity
from memviz.sampling.generate import generate
from memviz.sampling.types import Request
from memviz.training.config import Config

FIRST = 5  # steps over whose mean the magnitude is told


@dataclass(frozen=True)
class ProbeResult:
    """One group of prompts, drawn and judged: arrays and pictures in the order of the prompts."""

    similarity: np.ndarray
    match: np.ndarray  # corpus ids
    magnitude: np.ndarray
    alignment: np.ndarray | None
    pictures: list[Image.Image]
    vectors: np.ndarray

    def figures(self, copied: float) -> dict[str, float | None]:
        """As a `probe` event tells them."""
        aligned = self.alignment
        return {
            "copied": round(float((self.similarity >= copied).mean()), 4),
            "similarity_mean": round(float(self.similarity.mean()), 4),
            "magnitude": round(float(self.magnitude.mean()), 4),
            "alignment": None if aligned is None else round(float(aligned.mean()), 4),
        }


class Judge:
    """A pipeline with its model's own way of being sampled, and what looks at its pictures."""

    def __init__(
        self,
        pipe: Pipe,
        folder: Path,
        detector: CopyDetector,
        steps: int,
        size: int | None = None,  # pixels a side; None: the model's own
    ) -> None:
        demo = detector.corpus.name in bundled()  # its CLIP and scales are of its own pictures
        own = settings(folder) if demo else {}
        self.pipe, self.detector, self.steps, self.size = pipe, detector, steps, size
        self.guidance = MethodSpec.parse("cfg", own.get("methods")).guidance
        self.clip = resources.load_clip() if own.get("clip") else None

    def look(self, prompts: Sequence[str], seeds: Sequence[int] = (0,)) -> ProbeResult:
        """Each prompt with each seed, drawn and judged."""
        requests = [Request(p, s, self.guidance) for p in prompts for s in seeds]
        path = {"steps": self.steps, "size": self.size}
        with mixed_precision(self.pipe):
            made = list(generate(self.pipe, requests, detector=self.detector, **path))
        images = [one.image for one in made]
        return ProbeResult(
            similarity=np.array([best_similarity(one.matches) for one in made]),
            match=np.array([one.matches[0].id if one.matches else -1 for one in made]),
            magnitude=np.array([np.mean(one.signals["magnitude"][:FIRST]) for one in made]),
            alignment=self.clip and self.clip.score(images, [r.prompt for r in requests]),
            pictures=images,
            vectors=np.array([one.vector for one in made]),
        )


def mixed_precision(pipe: Pipe) -> AbstractContextManager[object]:
    """Autocast, where frozen parts are kept in another number format than the UNet."""
    import torch

    kept = pipe.text_encoder.dtype
    return torch.autocast(pipe.device.type, kept, enabled=kept != pipe.unet.dtype)


def prompts(config: Config, captions: Sequence[str], sizes: np.ndarray) -> dict[str, list[str]]:
    """The prompts to watch by group: "duplicated" and "single" captions of the corpus by default.

    `sizes` (N,) says how many entries show what each picture shows.
    """
    if config.probes in ("", "none", "demo"):  # none: only a later look at saved rounds asks
        found = of_corpus(captions, sizes, config.seed)
    else:
        found = read(expand(config.probes))
    if config.probes == "demo":
        own = demo()
        found |= {"duplicated": list(own["duplicated"]), "unseen": list(own["heldout"])}
    return {group: texts[: config.probe_prompts] for group, texts in found.items() if texts}


def of_corpus(captions: Sequence[str], sizes: np.ndarray, seed: int) -> dict[str, list[str]]:
    """The captions of what is repeated most, and of some that appear once, at random."""
    order = np.random.default_rng(seed).permutation(len(captions))
    most = order[np.argsort(-sizes[order], kind="stable")]
    groups = {"duplicated": most[sizes[most] > 1], "single": order[sizes[order] == 1]}
    texts = {name: [captions[int(row)] for row in rows] for name, rows in groups.items()}
    return {name: [*dict.fromkeys(filter(None, some))] for name, some in texts.items()}


def read(path: Path) -> dict[str, list[str]]:
    """Groups of prompts from a file."""
    try:
        found = json.loads(path.read_text())
        if not all(isinstance(t, str) for texts in found.values() for t in texts):
            raise InputError("a prompt is not a text")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f'--probes: {path} is not a file of prompts as {{"group": ["prompt"]}}: {error}.'
        ) from error
    return found
