"""Pictures to their nearest training pictures, in batches, each with its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memviz.data.caption_overlap import overlap
from memviz.errors import InputError, MemvizError
from memviz.io import images as io_images
from memviz.retrieval.blank_images import blank
from memviz.retrieval.copy_detector import best_similarity
from memviz.retrieval.verdict import Verdict

if TYPE_CHECKING:
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import CopyDetector, Match

BATCH = 32


@dataclass(frozen=True)
class Finding:
    """What was found for one picture; `problem` says why it could not be looked up."""

    number: int
    picture: str  # its place
    prompt: str
    verdict: Verdict
    matches: tuple[Match, ...] = ()
    blank: str = ""
    problem: str = ""
    copies: int = 0  # of the matches, those at or above the threshold for a copy
    seeds: tuple[int, int] = (0, 0)  # pictures of this prompt that copy the same image, of how many

    @property
    def similarity(self) -> float:
        """Of the top match; nan without one."""
        return best_similarity(self.matches)

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        top = self.matches[0] if self.matches else None
        second = self.matches[1] if len(self.matches) > 1 else None
        return {
            "picture": self.picture,
            "prompt": self.prompt,
            "verdict": self.verdict.word,
            "reason": self.verdict.reason,
            "kind": self.verdict.kind,
            "similarity": top and top.similarity,
            "next_similarity": second and second.similarity,
            "copies": self.copies,
            "caption_overlap": top and overlap(self.prompt, top.caption),
            "seeds_agree": list(self.seeds),
            "blank": self.blank,
            "problem": self.problem,
            "matches": [vars(match) for match in self.matches],
        }


def match_pictures(
    detector: CopyDetector, pictures: Corpus, top: int = 10, every: bool = False
) -> Iterator[list[tuple[Finding, Image.Image | None]]]:
    """Batches of pictures with what was found for each; an unreadable one has its problem.

    `every` gives all matches at or above the threshold for a copy where these are more than `top`.
    Pictures of the corpus itself are compared with the others.
    """
    if top < 1:
        raise InputError(f"top is {top}; ask for 1 match or more.")
    least = detector.thresholds.copied if every else None
    within = pictures.hash == detector.corpus.hash
    for start in range(0, len(pictures), BATCH):
        ids = pictures.ids[start : start + BATCH]
        read = {id: _read(pictures, id) for id in ids}
        images = {id: image for id, image in read.items() if not isinstance(image, str)}
        own = [*images] if within else None
        matches = detector.match([*images.values()], top, least=least, own=own)
        found = dict(zip(images, matches, strict=True))
        yield [(_finding(detector, pictures, id, read[id], found), images.get(id)) for id in ids]


def count_seeds(found: Sequence[Finding]) -> list[Finding]:
    """The same, each with how many pictures of its prompt copy the same training picture."""
    prompts = Counter(f.prompt for f in found if f.prompt)
    same = Counter((f.prompt, f.matches[0].id) for f in found if f.verdict.kind == "copied")
    return [
        replace(f, seeds=(same[f.prompt, f.matches[0].id], prompts[f.prompt]))
        if f.prompt and f.matches
        else f
        for f in found
    ]


def _read(pictures: Corpus, id: int) -> Image.Image | str:
    """A picture, or why it cannot be read."""
    try:
        return io_images.decode(pictures.encoded(id))[0]
    except (OSError, MemvizError) as error:
        return " ".join(str(error).split())


def _finding(
    detector: CopyDetector,
    pictures: Corpus,
    id: int,
    image: Image.Image | str,
    found: dict[int, list[Match]],
) -> Finding:
    place, prompt = pictures.where(id), pictures.caption(id)
    if isinstance(image, str):
        said = Verdict("Not read", f"The picture cannot be read: {image}.", "unknown")
        return Finding(id, place, prompt, said, problem=image)
    matches, why = tuple(found[id]), blank(image)
    copies = sum(match.similarity >= detector.thresholds.copied for match in matches)
    said = detector.judge(matches, blank=why)
    return Finding(id, place, prompt, said, matches, why, copies=copies)
