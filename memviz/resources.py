"""What a comparison works with: a model, and the eyes that judge its pictures.

Loaded once per process and reused; everything here only reads.
"""

from functools import lru_cache

from memviz.data import corpus as corpora
from memviz.models import loading
from memviz.retrieval import index_store
from memviz.retrieval.clip import Clip
from memviz.retrieval.copy_detector import Eye
from memviz.retrieval.descriptors import descriptor as descriptors_descriptor
from memviz.retrieval.index.index import Index, IndexMismatch


@lru_cache(maxsize=2)
def model(name: str) -> loading.Model:
    """A loaded model; the last two stay in memory."""
    return loading.load(name)


def eye(corpus: str, preset: str) -> Eye:
    """A corpus, a descriptor and their index, which is built on first use and kept."""
    try:
        return indexed(corpus, preset)
    except IndexMismatch:
        index_store.ready(corpora.load(corpus), descriptors_descriptor.descriptor(preset))
        return indexed(corpus, preset)


@lru_cache(maxsize=4)
def indexed(corpus: str, preset: str) -> Eye:
    """The same, but raises IndexMismatch where no index is there or up to date."""
    images, look = corpora.load(corpus), descriptors_descriptor.descriptor(preset)
    return Eye(images, look, Index.load(index_store.folder(images, look), images, look))


@lru_cache(maxsize=2)
def clip(path: str = "") -> Clip:
    """The CLIP model that scores prompt alignment; the bundled one by default."""
    return Clip(path) if path else Clip()


def forget() -> None:
    """Let go of all that is loaded, as after running out of memory."""
    for cache in (model, indexed, clip):
        cache.cache_clear()
