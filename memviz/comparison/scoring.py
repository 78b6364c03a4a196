"""What is found out about finished pictures: alignment, matches, and a verdict on each question."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from PIL import Image

from memviz import resources
from memviz.comparison.plan import Plan
from memviz.detection.verdict import prompt_signal
from memviz.runs.record import CellResult, MatchRecord, PromptSignal

TOP = 8  # matches kept per cell


def score(
    plan: Plan, images: Sequence[Image.Image], magnitudes: Sequence[float], folder: Path
) -> tuple[CellResult, ...]:
    """The result of every cell; the matches' pictures are put into the run's folder.

    `magnitudes` are those of the first step.
    """
    aligned: Sequence[float | None] = [None] * len(images)  # where no CLIP model is at hand
    if plan.clip:
        prompts = [cell.prompt for cell in plan.cells]
        aligned = [
            round(float(a), 4) for a in resources.load_clip(plan.clip).score([*images], prompts)
        ]
    found = find_matches(plan, images, folder)
    return tuple(
        judge(plan, own).model_copy(
            update={"prompt_signal": judge_prompt(plan, cell.prompt, first), "alignment": value}
        )
        for cell, first, own, value in zip(plan.cells, magnitudes, found, aligned, strict=True)
    )


def find_matches(
    plan: Plan, images: Sequence[Image.Image], folder: Path
) -> list[tuple[MatchRecord, ...]]:
    """The nearest corpus images of each picture, best first; none without a corpus."""
    if plan.detector is None:
        return [() for _ in images]
    found = plan.detector.match(images, TOP)
    shown = sorted({match.id for own in found for match in own})  # neighbors are read together
    corpus = plan.detector.corpus
    names = {id: corpus.copy(id, folder / "matches" / str(id)).name for id in shown}
    return [
        tuple(
            MatchRecord(
                id=match.id,
                caption=match.caption,
                similarity=match.similarity,
                image=f"matches/{names[match.id]}",
                times=match.times,
            )
            for match in own
        )
        for own in found
    ]


def judge(plan: Plan, matches: tuple[MatchRecord, ...]) -> CellResult:
    """Is the picture a copy? By its best match."""
    if plan.detector is None or not matches:
        return CellResult(verdict="No corpus", kind="unknown", reason="")
    said = plan.detector.judge_similarity(matches[0].similarity)
    return CellResult(
        matches=matches,
        similarity=matches[0].similarity,
        verdict=said.word,
        kind=said.kind,
        reason=said.reason,
    )


def judge_prompt(plan: Plan, prompt: str, magnitude: float) -> PromptSignal:
    """Does the prompt look memorized? By the magnitude of the first step."""
    band = plan.bands.of(prompt)
    said = prompt_signal(magnitude, band.range("magnitude", 0), band.kind)
    return PromptSignal(**asdict(said), value=round(magnitude, 4))
