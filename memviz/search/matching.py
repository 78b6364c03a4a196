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
from memviz.retrieval.verdict import Thresholds, Verdict, verdict

if TYPE_CHECKING:
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.retrieval.copy_detector import Eye

BATCH = 32
ROUNDED = 5e-5  # similarities are judged by four digits


@dataclass(frozen=True)
class Match:
    """A training picture and how alike it is."""

    id: int
    path: str
    caption: str
    similarity: float


@dataclass(frozen=True)
class Found:
    """One picture that was looked up; `problem` says why it could not be."""

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
        return self.matches[0].similarity if self.matches else float("nan")

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


def look(
    eye: Eye, asked: Corpus, thresholds: Thresholds, top: int = 10, every: bool = False
) -> Iterator[list[tuple[Found, Image.Image | None]]]:
    """Batches of pictures with what was found for each; an unreadable one has its problem.

    `every` gives all matches at or above the threshold for a copy where these are more than `top`.
    Pictures of the corpus itself are compared with the others.
    """
    if top < 1:
        raise InputError(f"top is {top}; ask for 1 match or more.")
    least = thresholds.copied - ROUNDED if every else None
    for start in range(0, len(asked), BATCH):
        ids = asked.ids[start : start + BATCH]
        read = [_read(asked, id) for id in ids]
        images = [image for image, _ in read if image is not None]
        own = [id if asked.hash == eye.corpus.hash else -1 for id in ids]
        readable = [id for id, (image, _) in zip(own, read, strict=True) if image is not None]
        found = iter(_nearest(eye, images, readable, top, least))
        yield [
            (_judged(eye, asked, id, image, problem, found, thresholds), image)
            for id, (image, problem) in zip(ids, read, strict=True)
        ]


def agreed(found: Sequence[Found]) -> list[Found]:
    """The same, each told how many pictures of its prompt copy the same training picture."""
    prompts = Counter(f.prompt for f in found if f.prompt)
    same = Counter((f.prompt, f.matches[0].id) for f in found if f.verdict.kind == "copied")
    return [
        replace(f, seeds=(same[f.prompt, f.matches[0].id], prompts[f.prompt]))
        if f.prompt and f.matches
        else f
        for f in found
    ]


def _read(asked: Corpus, id: int) -> tuple[Image.Image | None, str]:
    try:
        return io_images.decode(asked.encoded(id))[0], ""
    except (OSError, MemvizError) as error:
        return None, " ".join(str(error).split())


def _nearest(
    eye: Eye,
    images: Sequence[Image.Image],
    own: Sequence[int],
    top: int,
    least: float | None,
) -> Iterator[list[Match]]:
    """The matches of each picture but itself: the nearest, and with `least` all from there on."""
    if not images:
        return
    vectors = eye.descriptor.embed(images)
    nearest = zip(*eye.index.search(vectors, top + 1), strict=True)
    above = eye.index.copies(vectors, least) if least is not None else [((), ())] * len(own)
    for self, near, far in zip(own, nearest, above, strict=True):
        found = max(_others(*near, self)[:top], _others(*far, self), key=len)
        yield [_match(eye, *pair) for pair in found]


def _others(similarity: Sequence[float], ids: Sequence[int], self: int) -> list[tuple[float, int]]:
    pairs = zip(similarity, ids, strict=True)
    return [(float(s), int(i)) for s, i in pairs if i not in (-1, self)]


def _match(eye: Eye, similarity: float, id: int) -> Match:
    where, caption = eye.corpus.where(id), eye.corpus.caption(id)
    return Match(id, where, caption, round(similarity, 4))


def _judged(
    eye: Eye,
    asked: Corpus,
    id: int,
    image: Image.Image | None,
    problem: str,
    found: Iterator[list[Match]],
    thresholds: Thresholds,
) -> Found:
    place, prompt = asked.where(id), asked.caption(id)
    if image is None:
        said = Verdict("Not read", f"The picture cannot be read: {problem}.", "unknown")
        return Found(id, place, prompt, said, problem=problem)
    matches, why = tuple(next(found)), blank(image)
    similarity = matches[0].similarity if matches else float("nan")
    said = verdict(similarity, len(eye.index), thresholds)
    if why:
        about = f"A near-empty picture ({why}) is like any other one, so it is not judged."
        said = Verdict("Too empty to judge", f"{about} {said.reason}", "unknown")
    copies = sum(match.similarity >= thresholds.copied for match in matches)
    return Found(id, place, prompt, said, matches, why, copies=copies)
