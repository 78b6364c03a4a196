"""How captioned pictures lie on disk; `layout(place)` finds out which way it is."""

from pathlib import Path

from memviz.data.formats.base import CorpusError as CorpusError
from memviz.data.formats.base import Layout as Layout
from memviz.data.formats.folder import Folder
from memviz.data.formats.parquet import Parquet
from memviz.data.formats.url_list import UrlList
from memviz.data.formats.webdataset import Shards

GIVE = "Give a folder of pictures, a parquet file, a tar shard or a jsonl of captions and URLs."


def layout(place: Path) -> Layout:
    """The layout found at `place`."""
    if not place.exists():
        raise CorpusError(f"No such corpus: {place}. {GIVE}")
    if place.is_dir():
        return _of_folder(place)
    match place.suffix:
        case ".parquet":
            return Parquet([place])
        case ".tar":
            return Shards([place])
        case ".jsonl":
            return UrlList(place)
    raise CorpusError(f"{place} is not a corpus. {GIVE}")


def _of_folder(place: Path) -> Layout:
    """Shards win: img2dataset writes a parquet of metadata beside each of them."""
    if shards := sorted(place.glob("*.tar")):
        return Shards(shards)
    tables = sorted(place.glob("*.parquet"))
    return Parquet(tables) if tables else Folder(place)
