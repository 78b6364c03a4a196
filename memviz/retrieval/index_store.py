"""Where the index of a corpus is kept, and how it comes to be there."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from memviz.data import corpus as corpora
from memviz.io.paths import demo, home
from memviz.retrieval.index.index import Index, IndexMismatch

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.descriptor import Descriptor
    from memviz.retrieval.index.build import Progress


def bundled_folder() -> Path:
    """The demo's index, which comes with memviz."""
    return demo() / "index"


def folder(corpus: Corpus, descriptor: Descriptor) -> Path:
    """One folder per corpus, place and descriptor, so that a grown corpus finds its old index."""
    if bundled(corpus, descriptor):
        return bundled_folder()
    what = f"{Path(corpus.place).resolve()}\0{descriptor.preset.name}\0{descriptor.hash}"
    name = re.sub(r"[^\w.-]", "_", f"{corpus.name}-{descriptor.preset.name}")[-80:]
    return home() / "indexes" / f"{name}-{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def bundled(corpus: Corpus, descriptor: Descriptor) -> bool:
    """Whether an index of this pair comes with memviz."""
    return corpus.name in corpora.bundled() and descriptor.preset.name == "demo"


def unseen(steps: Iterable[Progress], total: int) -> None:
    """Let a build go on without telling anybody."""
    deque(steps, maxlen=0)


def ready(
    corpus: Corpus,
    descriptor: Descriptor,
    exact: bool = False,
    watched: Callable[[Iterable[Progress], int], object] = unseen,
) -> Index:
    """The index of a corpus, built if it is not there and brought up to date if it is old.

    `watched` is given the steps of the build, which it must go through, and how many pictures.
    """
    place = folder(corpus, descriptor)
    try:
        return Index.load(place, corpus, descriptor, exact)
    except IndexMismatch:
        if place == bundled_folder():
            raise
        from memviz.retrieval.index import build

        watched(build.build(corpus, descriptor, place), len(corpus))
        return Index.load(place, corpus, descriptor, exact)
