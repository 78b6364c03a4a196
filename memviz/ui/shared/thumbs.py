"""Small pictures of jobs in a folder of their own: nothing else of a job is ever served."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from memviz.data import corpus as data_corpus
from memviz.errors import MemvizError
from memviz.io.atomic import written
from memviz.ui.shared.served import file_path, thumbs

SIDE = 192  # pixels


@dataclass(frozen=True)
class Thumbs:
    """The small pictures of one job."""

    job_id: str
    output: Path  # the folder in which the job writes its probe pictures
    corpus: str

    def probe(self, name: str) -> str | None:
        """A picture that the job wrote; None where there is none in its folder."""
        file = (self.output / name).resolve()
        if not file.is_relative_to(self.output.resolve()):
            return None
        return self.small(name.replace("/", "-"), lambda: Image.open(file))

    def trained(self, number: str) -> str | None:
        """A training picture by its id; None where the corpus is not here any more."""
        return self.small(f"corpus-{number}", lambda: pictures(self.corpus).image(int(number)))

    def small(self, name: str, read: Callable[[], Image.Image]) -> str | None:
        """The address of a picture, made small once."""
        file = thumbs() / self.job_id / f"{name}.webp"
        if not file.exists():
            try:
                image = read().convert("RGB")
            except (OSError, MemvizError):
                return None
            image.thumbnail((SIDE, SIDE))
            with written(file) as part:
                image.save(part, "WEBP", quality=90)
        return file_path(file)


@lru_cache(maxsize=4)
def pictures(name: str) -> data_corpus.Corpus:
    """A corpus, opened once."""
    return data_corpus.load(name)
