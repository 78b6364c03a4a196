"""`python -m memviz generate`."""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, bar, say
from memviz.cli.options import MADE, add_options
from memviz.errors import InputError
from memviz.evaluation.bulk import ROWS, Bulk, Share, fill_folder, method_folder, missing_pictures
from memviz.evaluation.prompt_source import PromptSource, read_prompts
from memviz.guidance.spec import split_methods
from memviz.number_lists import parse_ints

SOURCE = "a file (text, csv, jsonl, parquet, json), a corpus, demo, demo:GROUP, or imagenette"

PICTURES = 100_000  # seeds at most: pictures are made by the thousand here


def options(sub: argparse.ArgumentParser) -> None:
    """Prompts, methods and how to denoise."""
    text = sub.add_argument
    add_prompt_options(sub, required=True)
    text("--methods", default="cfg", help="as cfg:scale=7.5,stp:at=500 (default: %(default)s)")
    text("--seeds-by-row", action="store_true",
         help="each prompt has its own: SEED plus its row, for draws with replacement")  # fmt: skip
    text("--batch", type=int, default=ROWS, help="pictures made together (default: %(default)s)")
    add_options(sub, "seeds", *MADE)
    text("--out", type=Path, required=True, metavar="DIR", help="the folder to fill, or go on with")


def add_prompt_options(sub: argparse.ArgumentParser, required: bool = False) -> None:
    """Where prompts come from."""
    text = sub.add_argument
    text("--prompts", required=required, metavar="PLACE", help=SOURCE)
    text("--template", help='put each line into one, as "An image of {class}"')
    text("--limit", type=int, metavar="N", help="how many prompts")
    text("--draw", type=int, metavar="SEED",
         help="draw them with replacement, as numpy does after this seed")  # fmt: skip


def generate(args: argparse.Namespace) -> dict[str, Any]:
    """Fill a folder per method; what is there at the end."""
    if args.draw is not None and args.limit is None:
        raise InputError("A draw needs to know how many: give --limit, too.")
    source = PromptSource(args.prompts, args.template or "", args.draw, args.limit)
    bulks = bulks_of(args, tuple(read_prompts(source)))
    share, many = Share.from_env(), len(bulks) > 1
    folders = [method_folder(args.out, bulk.method, many) for bulk in bulks]
    for bulk, folder in zip(bulks, folders, strict=True):
        fill(bulk, folder, share)
    made = {str(folder): len(bulk) - len(missing_pictures(bulk, folder))
            for bulk, folder in zip(bulks, folders, strict=True)}  # fmt: skip
    return {"folders": made, "pictures": sum(map(len, bulks)), "process": share.rank}


def bulks_of(args: argparse.Namespace, prompts: tuple[str, ...]) -> list[Bulk]:
    """One per method."""
    methods = split_methods(args.methods)
    if not methods:
        raise InputError("There are no methods. Give at least one, as --methods cfg.")
    return [
        Bulk(
            prompts,
            method,
            args.model,
            tuple(parse_ints(args.seeds, "--seeds", PICTURES)),
            args.seeds_by_row,
            args.size,
            args.scheduler,
            args.steps,
            args.corpus,
            args.descriptor,
            args.batch,
            args.spacing,
            args.dtype,
        )
        for method in methods
    ]


def fill(bulk: Bulk, folder: Path, share: Share) -> None:
    """Make what is missing, with a bar on stderr that says how long it will take."""
    mine = sum(number // bulk.batch % share.count == share.rank for number in range(len(bulk)))
    if share.rank == 0:
        say(f"{bulk.method}: {folder}")
    with bar(mine, "picture") as shown:
        for done in fill_folder(bulk, folder, share):
            if not shown.n:
                shown.initial = done  # what was there already says nothing of the speed
            shown.update(done - shown.n)


def as_table(result: dict[str, Any]) -> str:
    """A line per folder."""
    return "\n".join(f"{count} pictures in {folder}" for folder, count in result["folders"].items())


VERB = Verb(generate, as_table, options)
