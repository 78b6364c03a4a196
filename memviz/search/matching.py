"""Pictures to their nearest training pictures, in batches, each with its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from memviz.data.caption_overlap import overlap
from memviz.errors import InputError, MemvizError
from memviz.io import images as io_images
from memviz.retrieval.blank_images import blank
from memviz.retrieval.copy_detector import best_similarity
from memviz.retrieval.read_ahead import read_ahead
from memviz.retrieval.verdict import Verdict

if TYPE_CHECKING:
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import CopyDetector, Match
    from memviz.retrieval.descriptors.preprocess import Preprocess

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
    read = partial(_read, pictures, detector.descriptor.preset.preprocess)
    for some in read_ahead(pictures.ids, read, BATCH):
        good = [one for one in some if one.image is not None]
        vectors = detector.descriptor.embed_prepared([one.pixels for one in good])
        own = [one.id for one in good] if within else None
        matches = detector.match_vectors(vectors, top, least=least, own=own)
        found = {one.id: match for one, match in zip(good, matches, strict=True)}
        yield [(_finding(detector, pictures, one, found), one.image) for one in some]


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


@dataclass(frozen=True)
class _Picture:
    """One that was read and prepared for the descriptor, or why that cannot be."""

    id: int
    image: Image.Image | None
    pixels: Any  # (3, h, w), a tensor; None without a picture
    blank: str = ""  # why it is too empty to be judged, if it is
    problem: str = ""


def _read(pictures: Corpus, prepare: Preprocess, id: int) -> _Picture:
    try:
        image = io_images.decode(pictures.encoded(id))[0]
    except (OSError, MemvizError) as error:
        return _Picture(id, None, None, problem=" ".join(str(error).split()))
    return _Picture(id, image, prepare.pixels(image), blank(image))


def _finding(
    detector: CopyDetector, pictures: Corpus, one: _Picture, found: dict[int, list[Match]]
) -> Finding:
    place, prompt = pictures.where(one.id), pictures.caption(one.id)
    if one.problem:
        said = Verdict("Not read", f"The picture cannot be read: {one.problem}.", "unknown")
        return Finding(one.id, place, prompt, said, problem=one.problem)
    matches = tuple(found[one.id])
    above = [match for match in matches if match.similarity >= detector.thresholds.copied]
    copies = 0 if detector.misfit else len(above)
    said = detector.judge(matches, blank=one.blank)
    return Finding(one.id, place, prompt, said, matches, one.blank, copies=copies)
