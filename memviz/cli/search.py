"""`python -m memviz search IMAGE|FOLDER --corpus C`."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, bar
from memviz.cli.index import descriptor_options
from memviz.cli.index import watched as indexing
from memviz.cli.tables import figure, table
from memviz.errors import InputError
from memviz.io import atomic
from memviz.io.paths import expand
from memviz.jobs import JobContext
from memviz.retrieval.clip_choice import DEMO, NAMES

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.search import SearchRequest

LISTED = 20  # pictures in the table for people


def options(sub: argparse.ArgumentParser) -> None:
    """What is looked up where, and how it is judged."""
    option = sub.add_argument
    option("pictures", nargs="+", help="pictures, or one folder of them")
    option("--corpus", required=True, help="training images to look through: a name or a place")
    option("--preset", default="auto", help="how pictures are compared (%(default)s)")
    option("--index", type=Path, metavar="DIR", help="an index made with --out")
    option(
        "--exact", action="store_true", help="look at every image even where the index has lists"
    )
    option("--top", type=int, default=10, help="matches per picture (%(default)s)")
    option("--threshold", default="preset", help="preset, background, or a similarity as 0.5, 0.75")
    option(
        "--all-above",
        action="store_true",
        help="all images at or above the threshold, where these are more than --top",
    )
    option("--clip", metavar="NAME",
           help=f"score how a folder's pictures fit their prompts by this CLIP: "
           f"{', '.join([DEMO, *NAMES])}, a folder or a hub id")  # fmt: skip
    option("--fid", action="store_true", help="measure a folder's FID to the corpus")
    option("--out", type=Path, metavar="DIR", help="write matches.parquet, report.html here")
    descriptor_options(sub)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Look up; what was found for each picture, and for a folder where it is written."""
    asked = question(args)
    if args.clip or args.fid:
        check_quality(asked, args)
    elif args.out is None and not is_folder(args):
        return one_by_one(asked)
    from memviz.search import folder

    out = args.out or folder.new_folder()
    if out.exists() and any(out.iterdir()):
        raise InputError(f"--out: {out} is not empty. Name a new folder.")
    watched(asked, out)
    told = json.loads((out / "summary.json").read_text("utf-8"))
    if args.clip or args.fid:
        told = add_quality(asked, args, told, out)
    JobContext.from_env().result(
        folder=str(out.resolve()), report=str(out.resolve() / "report.html")
    )
    return {"folder": str(out.resolve()), **told}


def check_quality(asked: "SearchRequest", args: argparse.Namespace) -> None:
    """Say what cannot be measured before anything is looked up."""
    from memviz.evaluation.folder_quality import check_clip
    from memviz.evaluation.metrics.inception import load_inception

    if args.clip:
        check_clip(args.clip, asked.detector.corpus)
    if args.fid:
        load_inception()


def add_quality(
    asked: "SearchRequest", args: argparse.Namespace, told: dict[str, Any], out: Path
) -> dict[str, Any]:
    """The summary with what else was asked of the pictures, written and in the report."""
    from memviz import resources
    from memviz.evaluation.folder_quality import measure_alignment, measure_fid
    from memviz.search.folder import write
    from memviz.search.report import page

    if args.clip:
        told["clip"] = measure_alignment(asked.pictures, resources.load_clip(args.clip))
    if args.fid:
        told["fid"] = measure_fid(asked.pictures, asked.detector.corpus)
    write(out / "summary.json", told)
    atomic.text(out / "report.html", page(told, out))
    return told


def is_folder(args: argparse.Namespace) -> bool:
    """Whether a folder was given rather than pictures."""
    return expand(args.pictures[0]).is_dir()


def question(args: argparse.Namespace) -> "SearchRequest":
    """The search, everything it needs checked and opened."""
    if args.top < 1:
        raise InputError(f"--top is {args.top}; ask for 1 match or more.")
    pictures = queries(args)
    from memviz.data import corpus
    from memviz.resources import usual_device
    from memviz.retrieval import index_store
    from memviz.retrieval.copy_detector import CopyDetector
    from memviz.retrieval.descriptors.choice import choose_descriptor
    from memviz.retrieval.descriptors.descriptor import descriptor
    from memviz.retrieval.index.index import Index
    from memviz.search import SearchRequest

    found = corpus.load(args.corpus)
    preset = choose_descriptor(args.preset, found)
    look = descriptor(preset, args.checkpoint, usual_device(), args.trust, args.half)
    if args.index:
        index = Index.load(args.index, found, look, args.exact)
    else:
        index = index_store.ready(found, look, args.exact, indexing)
    return SearchRequest(
        CopyDetector(found, look, index), pictures, args.threshold, args.top, args.all_above
    )


def queries(args: argparse.Namespace) -> "Corpus":
    """What is looked up: a folder in any layout of a corpus, or the pictures given."""
    from memviz.data import corpus
    from memviz.data.formats.files import PictureFiles

    if is_folder(args) and len(args.pictures) == 1:
        return corpus.load(args.pictures[0])
    files = [expand(text) for text in args.pictures]
    return corpus.Corpus("pictures", PictureFiles(files))


def one_by_one(asked: "SearchRequest") -> dict[str, Any]:
    """Without a folder: only what is printed."""
    from memviz.search.folder import provenance
    from memviz.search.matching import match_pictures

    used = asked.marks()
    detector = asked.detector.with_thresholds(used.used)
    batches = match_pictures(detector, asked.pictures, asked.top, asked.every)
    return {
        "pairs": [one.to_json() for some in batches for one, _ in some],
        "all_above": asked.every,
        "thresholds": used.to_json(),
        "provenance": provenance(asked.detector),
    }


def watched(asked: "SearchRequest", out: Path) -> None:
    """Write the folder, with a bar on stderr."""
    from memviz.search import search

    here = JobContext.from_env()
    with bar(len(asked.pictures), " pictures") as shown:
        for done, total in search(asked, out):
            shown.update(done - shown.n)
            here.metric(done=done, total=total)
            if here.stopping():
                raise KeyboardInterrupt


def as_table(result: dict[str, Any]) -> str:
    """The most alike pairs, a line each."""
    rows = [
        (
            Path(one["picture"]).name,
            figure(one["similarity"]),
            figure(one["next_similarity"]),
            one["verdict"],
            one["copies"],
            one["matches"][0]["caption"] if one["matches"] else one["problem"],
        )
        for one in result["pairs"][:LISTED]
    ]
    head = ("picture", "similarity", "next", "verdict", "copies", "nearest image")
    used = result["thresholds"]["used"]
    lines = [table(head, rows), "", f"Copied from {used['copied']:.2f} ({used['source']})."]
    if "folder" in result:
        from memviz.search.report import headline, quality_rows

        lines += [f"{name}: {text}." for name, text in quality_rows(result)]
        lines += [headline(result), f"{result['folder']}/report.html"]
    return "\n".join(lines)


VERB = Verb(
    run,
    as_table,
    options,
)
