"""What is found out about finished pictures: alignment, matches, and a verdict on each question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from memviz import resources
from memviz.detection.verdict import prompt_signal

if TYPE_CHECKING:
    from PIL import Image

    from memviz.comparison.cell import Cell
    from memviz.detection.reference_bands import Found
    from memviz.retrieval import copy_detector

TOP = 8  # matches kept per cell
UNSEEN = {"similarity": None, "match": None, "verdict": "No corpus", "reason": ""}

Match = dict[str, Any]


def matches(
    detector: copy_detector.CopyDetector | None, images: list[Image.Image]
) -> list[list[Match]]:
    """The nearest corpus images of each picture, best first; none without a corpus."""
    if detector is None:
        return [[] for _ in images]
    return [[match(found) for found in some] for some in detector.match(images, TOP)]


def match(found: copy_detector.Match) -> Match:
    """One match; where its picture lies in the run is told when it is put there."""
    return {"id": found.id, "caption": found.caption, "similarity": found.similarity}


def alignment(prompts: list[str], images: list[Image.Image]) -> list[float]:
    """CLIP's cosine of each picture with its prompt."""
    return [round(float(score), 4) for score in resources.load_clip().score(images, prompts)]


def on_prompt(cell: Cell, bands: Found) -> dict[str, Any]:
    """Does the prompt look memorized? By the magnitude of the first step."""
    first, band = cell.rows[0]["magnitude"], bands.of(cell.prompt)
    signal = prompt_signal(first, band.range("magnitude", 0), band.kind)
    return {"prompt_signal": {**vars(signal), "value": round(first, 4)}}


def on_picture(
    detector: copy_detector.CopyDetector | None, found: Sequence[Match]
) -> dict[str, Any]:
    """Is the picture a copy? By its best match."""
    if not found:
        return dict(UNSEEN)
    top = found[0]["similarity"]
    said = detector.judge_similarity(top)
    words = {"verdict": said.word, "reason": said.reason, "kind": said.kind}
    return {"similarity": top, "match": found[0]} | words


def to_match(
    detector: copy_detector.CopyDetector, vectors: np.ndarray, found: Match
) -> list[float]:
    """Similarity of each x0 estimate's vector (T, D) to the picture that was matched in the end."""
    return detector.index.similarity(vectors, np.full(len(vectors), found["id"])).tolist()
