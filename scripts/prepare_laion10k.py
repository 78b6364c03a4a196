"""Check a downloaded LAION-10k and register it by name: `python scripts/prepare_laion10k.py DIR`.

DIR is the unpacked folder of DCR's download: `train/images_large/*.jpg` and
`laion_combined_captions.json`. Nothing in it is changed. Afterwards `--corpus laion-10k` and the
app know it.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from memviz.data import corpus
from memviz.errors import InputError, MemvizError
from memviz.io import images as io_images
from memviz.io import user_config

EXPECTED = 10_000  # pictures of the published set


def main() -> int:
    """Check, register, report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="laion-10k", help="to register it by (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    try:
        result = prepare(args.folder, args.name)
    except (MemvizError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1, ensure_ascii=False) if args.json else words(result))
    return 0


def prepare(folder: Path, name: str) -> dict[str, Any]:
    """Read every picture once; register the set unless nothing of it can be read."""
    place = images(folder)
    found = corpus.load(place)
    with ThreadPoolExecutor() as pool:
        told = [*pool.map(lambda id: state(found, id), found.ids)]
    broken = [
        (found.where(id), problem) for id, problem in zip(found.ids, told, strict=True) if problem
    ]
    if len(broken) == len(found):
        raise InputError(f"None of the {len(found)} pictures in {place} can be read. Unpack again.")
    user_config.add("corpora", name, place.resolve())
    captioned = sum(map(bool, found.captions))
    return {
        "name": name,
        "place": str(place.resolve()),
        "pictures": len(found),
        "expected": EXPECTED,
        "bytes": sum(Path(found.where(id)).stat().st_size for id in found.ids),
        "captioned": captioned,
        "further_captions": sum(len(found.other_captions(id)) for id in found.ids),
        "unreadable": [{"place": where, "problem": problem} for where, problem in broken],
    }


def images(folder: Path) -> Path:
    """The folder of pictures, given the download, its `train`, or the folder itself."""
    for place in (folder / "train" / "images_large", folder / "images_large", folder):
        if place.is_dir():
            return place
    raise InputError(f"No such folder: {folder}. Give the unpacked LAION-10k.")


def state(found: corpus.Corpus, id: int) -> str:
    """Why a picture cannot be read; "" if it can."""
    try:
        io_images.decode(found.encoded(id))
    except (OSError, MemvizError) as error:
        return " ".join(str(error).split())
    return ""


def words(result: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"{result['pictures']:,} pictures ({result['expected']:,} were published; "
        f"{result['bytes'] / 1e6:,.0f} MB), "
        f"{result['captioned']:,} with a caption, {result['further_captions']:,} further captions.",
        *(f"cannot be read: {row['place']}: {row['problem']}" for row in result["unreadable"]),
        f"Registered as {result['name']}. Next: python -m memviz index {result['name']} "
        "--preset sscd_disc_mixup",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
