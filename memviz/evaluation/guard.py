"""A picture that is not too near to a training picture, or none: make, look up, try the next way.

`guard_picture` stands around any pipeline:

    ways = {"plain": lambda: pipe(prompt).images[0], "other seed": lambda: pipe(prompt, ...)...}
    attempts = guard_picture(ways, detector)
    picture = attempts[-1].image if attempts[-1].accepted else None
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.errors import InputError
from memviz.io import atomic

if TYPE_CHECKING:
    from PIL import Image

    from memviz.retrieval.copy_detector import CopyDetector, Match


@dataclass(frozen=True, eq=False)
class Attempt:
    """A picture, the way it was made, and what it is nearest to."""

    way: str
    image: "Image.Image"
    match: "Match | None"
    accepted: bool


def guard_picture(
    ways: "Mapping[str, Callable[[], Image.Image]]",
    detector: "CopyDetector",
    threshold: float | None = None,
) -> list[Attempt]:
    """Try the ways in turn until a picture stays below `threshold`; all attempts, as evidence.

    The threshold is the detector's own copy mark unless one is given, in (-1, 1]. A picture that
    cannot be looked up is not accepted. Only the last attempt can be an accepted one.
    """
    limit = detector.thresholds.copied if threshold is None else threshold
    if not -1 < limit <= 1:
        raise InputError(f"The threshold is {limit}. Give a similarity above -1 and up to 1.")
    if not ways:
        raise InputError("There is no way to make a picture. Give at least one method.")
    attempts: list[Attempt] = []
    for way, make in ways.items():
        image = make()
        found = detector.match([image], 1)[0]
        match = found[0] if found else None
        accepted = match is not None and match.similarity < limit
        attempts.append(Attempt(way, image, match, accepted))
        if accepted:
            break
    return attempts


def write_attempts(
    attempts: list[Attempt], detector: "CopyDetector", folder: Path, about: Mapping[str, Any]
) -> dict[str, Any]:
    """The evidence: each picture beside the training picture it is nearest to, and `guard.json`.

    An accepted picture stands as `accepted.png`, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, attempt in enumerate(attempts):
        save_png(attempt.image, folder / f"{number}.png")
        match, nearest = attempt.match, None
        if match is not None:
            nearest = detector.corpus.copy(match.id, folder / f"{number}-nearest").name
        rows.append({
            "way": attempt.way,
            "image": f"{number}.png",
            "accepted": attempt.accepted,
            "similarity": match and match.similarity,
            "nearest": match and {"id": match.id, "caption": match.caption, "image": nearest},
        })  # fmt: skip
    accepted = attempts[-1].accepted
    if accepted:
        save_png(attempts[-1].image, folder / "accepted.png")
    result = {**about, "accepted": attempts[-1].way if accepted else None, "attempts": rows}
    atomic.json(folder / "guard.json", result)
    return result | {"folder": str(folder.resolve())}


def save_png(image: "Image.Image", file: Path) -> None:
    """Whole or not at all."""
    with atomic.written(file) as part:
        image.save(part, "PNG")
