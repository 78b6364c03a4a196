"""The copy detector: which training pictures is a picture like, and is it a copy of one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from memviz.errors import InputError
from memviz.retrieval import verdict
from memviz.retrieval.descriptors.choice import describe_misfit
from memviz.retrieval.verdict import CopyThresholds, Verdict, judge_blank, judge_misfit

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.descriptor import Descriptor
    from memviz.retrieval.index.index import Index

DIGITS = 4  # of a similarity, as it is shown and judged


@dataclass(frozen=True)
class Match:
    """A training picture and how alike a picture is to it."""

    id: int
    path: str  # its place in the corpus
    caption: str
    similarity: float  # cosine of the two descriptors, to `DIGITS` digits
    background: float | None  # its own similarity to its nearest other training picture
    times: int = 1  # how often the model is shown it, where the corpus says


class CopyDetector:
    """A corpus, the descriptor that looks at pictures, the corpus' index, and two thresholds.

    The thresholds are the descriptor's unless others are given.
    """

    def __init__(
        self,
        corpus: Corpus,
        descriptor: Descriptor,
        index: Index,
        thresholds: CopyThresholds | None = None,
    ) -> None:
        self.corpus, self.descriptor, self.index = corpus, descriptor, index
        self.thresholds = thresholds or descriptor.preset.thresholds
        self.misfit = describe_misfit(descriptor.preset, corpus)  # why it cannot judge, if so

    @property
    def duplicate(self) -> float:
        """Similarity from which two training pictures are the same: the corpus' or the preset's."""
        return self.index.manifest.duplicate or self.descriptor.preset.duplicate

    def with_thresholds(self, thresholds: CopyThresholds) -> CopyDetector:
        """The same corpus and index, judged by other thresholds."""
        return CopyDetector(self.corpus, self.descriptor, self.index, thresholds)

    def embed(self, images: Sequence[Image.Image] | Tensor) -> np.ndarray:
        """Unit vectors (B, D), float32, of pictures, or of a tensor (B, 3, H, W) in [-1, 1]."""
        from torch import Tensor

        if isinstance(images, Tensor):
            return self.descriptor.tensor(images).cpu().numpy()
        return self.descriptor.embed(images)

    def match(
        self,
        images: Sequence[Image.Image] | Tensor,
        k: int = 10,
        *,
        least: float | None = None,
        own: Sequence[int | None] | None = None,
    ) -> list[list[Match]]:
        """For each picture its k nearest training pictures, best first.

        With `least`, all at or above that similarity where these are more than k. `own` says
        for each picture which one of the corpus it is, if any: that one is left out. A picture
        whose descriptor is not finite has no match. Raises InputError if k is below 1.
        """
        return self.match_vectors(self.embed(images), k, least=least, own=own)

    def match_vectors(
        self,
        vectors: np.ndarray,
        k: int = 10,
        *,
        least: float | None = None,
        own: Sequence[int | None] | None = None,
    ) -> list[list[Match]]:
        """The same of vectors (B, D) that `embed` gave."""
        if k < 1:
            raise InputError(f"k is {k}; ask for 1 match or more.")
        if not len(vectors):
            return []
        own = own or [None] * len(vectors)
        similarity, ids = self.index.search(vectors, k + any(id is not None for id in own))
        found = [_pairs(*row)[:k] for row in zip(similarity, ids, own, strict=True)]
        if least is not None:
            above = self.index.copies(vectors, least - 0.5 * 10**-DIGITS)
            more = [_pairs(*row, id) for row, id in zip(above, own, strict=True)]
            found = [max(pair, key=len) for pair in zip(found, more, strict=True)]
        return [[self._match(*pair) for pair in pairs] for pairs in found]

    def judge(self, matches: Sequence[Match], blank: str = "") -> Verdict:
        """Is the picture with these matches, best first, a copy of the best one?

        `blank` says why it is too empty to be judged (`blank_images.blank`), if it is.
        """
        said = self.judge_similarity(best_similarity(matches))
        return judge_blank(blank, said) if blank else said

    def judge_similarity(self, similarity: float) -> Verdict:
        """The same of the best match's similarity alone; no verdict by an unfit descriptor."""
        if self.misfit:
            return judge_misfit(similarity, self.misfit)
        return verdict.judge_similarity(similarity, len(self.index), self.thresholds)

    def _match(self, similarity: float, id: int) -> Match:
        where, caption = self.corpus.where(id), self.corpus.caption(id)
        background = self.index.background_of(id)
        times = self.corpus.times(id)
        return Match(id, where, caption, round(similarity, DIGITS), background, times)


def best_similarity(matches: Sequence[Match]) -> float:
    """That of the first match; nan without one."""
    return matches[0].similarity if matches else float("nan")


def _pairs(similarity: np.ndarray, ids: np.ndarray, own: int | None) -> list[tuple[float, int]]:
    """Similarities and ids found for one picture, without those of no picture and of itself."""
    pairs = zip(similarity.tolist(), ids.tolist(), strict=True)
    return [(value, id) for value, id in pairs if id not in (-1, own)]
