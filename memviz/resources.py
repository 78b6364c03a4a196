"""What a process works with: models, the copy detectors that judge pictures, and CLIP.

Each is loaded once and reused; everything here only reads, but for an index that is not there yet.
"""

from functools import lru_cache
from pathlib import Path

from memviz.data import corpus as corpora
from memviz.models import loading
from memviz.retrieval import index_store
from memviz.retrieval.clip import Clip
from memviz.retrieval.clip_choice import NAMES
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.descriptors.choice import AUTO, choose_descriptor
from memviz.retrieval.descriptors.descriptor import Descriptor, descriptor
from memviz.retrieval.descriptors.presets import Preset
from memviz.retrieval.index.index import Index, IndexMismatch

DEMO = "demo"  # as a detector's name: the corpus and descriptor of the model of that name
CORPUS = "demo-10k"


def load_model(name: str = DEMO, dtype: str = "") -> loading.Model:
    """A model by name, folder or hub id; the last two stay in memory.

    `dtype` is one of `loading.DTYPES`: "" computes in float16 on a GPU, in float32 on a CPU.
    """
    return _model(name, dtype)


@lru_cache(maxsize=2)
def _model(name: str, dtype: str) -> loading.Model:
    return loading.load(name, dtype=loading.read_dtype(dtype))


def load_detector(corpus: str = DEMO, descriptor: str = AUTO) -> CopyDetector:
    """The copy detector of a corpus: "demo", a registered name, or a place.

    `descriptor` is a preset or a folder; "auto" takes one that suits the corpus. The index is
    built on first use, which takes about 2 ms a picture with the demo's descriptor, and kept.
    Raises CorpusError, or DescriptorError also where a descriptor is not made for the corpus.
    """
    try:
        return open_detector(corpus, descriptor)
    except IndexMismatch:
        images = corpora.load(corpus)
        index_store.ready(images, _descriptor(choose_descriptor(descriptor, images)))
        return open_detector(corpus, descriptor)


def open_detector(corpus: str, descriptor: str) -> CopyDetector:
    """The same, but raises IndexMismatch where no index is there or up to date.

    An index that was built again meanwhile, by this process or another, is read again.
    """
    if corpus == DEMO and not Path(DEMO).exists():
        corpus = CORPUS
    return _detector(corpus, descriptor, _stamp(_folder(corpus, descriptor) / "manifest.json"))


@lru_cache(maxsize=4)
def _detector(corpus: str, descriptor: str, stamp: tuple[int, ...]) -> CopyDetector:
    images = corpora.load(corpus)
    network = _descriptor(choose_descriptor(descriptor, images))
    folder = index_store.folder(images, network)
    return CopyDetector(images, network, Index.load(folder, images, network))


@lru_cache(maxsize=4)
def _folder(corpus: str, descriptor: str) -> Path:
    images = corpora.load(corpus)
    return index_store.folder(images, _descriptor(choose_descriptor(descriptor, images)))


@lru_cache(maxsize=4)
def _descriptor(preset: Preset) -> Descriptor:
    return descriptor(preset, device=usual_device())


def _stamp(manifest: Path) -> tuple[int, ...]:
    """What changes when a file is put in place of another."""
    if not manifest.is_file():
        return ()
    found = manifest.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


@lru_cache(maxsize=2)
def load_clip(name: str = DEMO) -> Clip:
    """The CLIP model that scores prompt alignment: "demo", one of `clip_choice.NAMES`, or a place.

    It runs where models do.
    """
    place = None if name in ("", DEMO) else NAMES.get(name, name)
    return Clip(place, usual_device())


def usual_device() -> str:
    """Where models run, and so what looks at their pictures: a GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def forget() -> None:
    """Let go of all that is loaded, as after running out of memory."""
    for cache in (_model, _detector, _folder, _descriptor, load_clip):
        cache.cache_clear()
