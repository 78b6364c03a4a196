"""The networks that look at pictures, and their features kept by the pictures' content."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.hashing import file_hash, files_hash
from memviz.io.paths import home

if TYPE_CHECKING:
    from PIL import Image

    from memviz.data.corpus import Corpus
    from memviz.evaluation.metrics.inception import Way
    from memviz.evaluation.pictures import Pictures
    from memviz.retrieval.clip import Clip
    from memviz.retrieval.descriptors.descriptor import Descriptor

BATCH = 32  # pictures that are looked at together


@dataclass(frozen=True)
class Judge:
    """A network with its preparation; `key` names both, so that features are never mixed."""

    key: str
    embed: Callable[[Sequence["Image.Image"]], np.ndarray]  # (B, D) float32

    def features(self, images: Iterable["Image.Image"]) -> Iterator[np.ndarray]:
        """Of a stream of pictures, some at a time."""
        stream = iter(images)
        while part := list(islice(stream, BATCH)):
            yield self.embed(part)


def descriptor_judge(descriptor: "Descriptor") -> Judge:
    """A copy detection descriptor."""
    return Judge(f"{descriptor.preset.name}-{descriptor.hash[:12]}", descriptor.embed)


def clip_judge(clip: "Clip", preparation: str) -> Judge:
    """CLIP's pictures, prepared as a protocol does."""
    from memviz.evaluation.metrics.clip_score import prepared

    folder = Path(clip.path)
    files = [(file.name, file) for file in folder.glob("*.safetensors")] if folder.is_dir() else []
    name = files_hash(files)[:12] if files else re.sub(r"[^\w.-]+", "-", clip.path)
    return Judge(f"clip-{name}-{preparation}", prepared(clip, preparation).images)


def inception_judge(way: "Way") -> Judge:
    """FID's Inception with one of its three preparations."""
    from memviz.evaluation.metrics.inception import features, load_inception

    network = load_inception()
    return Judge(f"inception-{way}", lambda images: features(network, images, way))


def picture_features(judge: Judge, pictures: "Pictures", cache: Path) -> np.ndarray:
    """(N, D) of a folder's pictures; what `cache` holds of the same content is not computed."""
    file = cache / f"{judge.key}.npz"
    known = _read(file)
    hashes = [file_hash(path) for path in pictures.files]
    new = {h: path for h, path in zip(hashes, pictures.files, strict=True) if h not in known}
    if new:
        parts = judge.features(_images(new.values()))
        rows = (row for part in parts for row in part)
        known |= dict(zip(new, rows, strict=True))
        with atomic.written(file) as part, part.open("wb") as out:
            np.savez(out, hashes=np.array([*known]), rows=np.stack([*known.values()]))
    return np.stack([known[h] for h in hashes])


def corpus_features(
    judge: Judge, corpus: "Corpus", count: int | None
) -> tuple[list[int], np.ndarray]:
    """Ids and (M, D) of a corpus' readable pictures, or of `count` of them evenly apart.

    Kept in memviz's own folder, where every evaluation finds them.
    """
    most = len(corpus) if count is None else min(count, len(corpus))
    ids = [corpus.ids[i * len(corpus) // most] for i in range(most)]
    file = home() / "features" / f"{corpus.hash[:16]}-{most}-{judge.key}.npz"
    if file.is_file():
        with np.load(file) as found:
            return found["ids"].tolist(), found["rows"]
    readable: list[int] = []
    rows = np.concatenate([*judge.features(_readable(corpus, ids, readable))])
    with atomic.written(file) as part, part.open("wb") as out:
        np.savez(out, ids=np.array(readable), rows=rows)
    return readable, rows


def _readable(corpus: "Corpus", ids: Sequence[int], readable: list[int]) -> Iterator["Image.Image"]:
    """The pictures that can be read; their ids are added to `readable`."""
    for id in ids:
        try:
            image = corpus.image(id)
        except (MemvizError, OSError):
            continue  # the index has listed it among its problems
        readable.append(id)
        yield image


def _images(files: Iterable[Path]) -> Iterator["Image.Image"]:
    from memviz.io.images import decode

    for file in files:
        yield decode(file.read_bytes())[0]


def _read(file: Path) -> dict[str, np.ndarray]:
    """Features by the hash of their picture; none where there is no whole file."""
    if not file.is_file():
        return {}
    with np.load(file) as found:
        return dict(zip(found["hashes"].tolist(), found["rows"], strict=True))
