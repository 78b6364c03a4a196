"""`python -m memviz index CORPUS`, and `scripts/build_index.py` under `accelerate launch`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, bar
from memviz.errors import InputError
from memviz.io.read import guard_format, read_json
from memviz.jobs import JobContext

LARGEST = 5  # groups of duplicates told

if TYPE_CHECKING:
    from memviz.retrieval.index.build import Progress


def options(sub: argparse.ArgumentParser) -> None:
    """What to index, and how."""
    option = sub.add_argument
    option("corpus", help="a name or a place: a folder, parquet files, tar shards")
    option("--preset", default="auto", help="how pictures are compared (%(default)s)")
    option("--out", type=Path, metavar="DIR", help="the index (default: where --corpus finds it)")
    option("--exact", action="store_true", help="look at every picture however many there are")
    option("--fresh", action="store_true", help="embed everything again, not only what is new")
    option("--batch", type=int, default=32, help="pictures embedded at a time (%(default)s)")
    descriptor_options(sub)


def descriptor_options(sub: argparse.ArgumentParser) -> None:
    """Where the weights come from and how they run."""
    option = sub.add_argument
    option("--checkpoint", type=Path, metavar="FILE", help="weights other than the fetched ones")
    option("--trust", action="store_true", help="load weights whose checksum is unknown")
    option("--half", action="store_true", help="half precision: faster on a GPU")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Build, and say what was built."""
    from memviz.data import corpus
    from memviz.retrieval import index_store
    from memviz.retrieval.descriptors.choice import choose_descriptor
    from memviz.retrieval.descriptors.descriptor import descriptor
    from memviz.retrieval.index import build

    if args.batch < 1:
        raise InputError(f"--batch is {args.batch}; give 1 or more.")
    found, workers = corpus.load(args.corpus), build.Workers()
    preset = choose_descriptor(args.preset, found)
    look = descriptor(preset, args.checkpoint, workers.device, args.trust, args.half)
    out = args.out or index_store.folder(found, look)
    if out == index_store.bundled_folder():
        raise InputError(f"The index of {found.name} comes with memviz. Name another with --out.")
    how = {"exact": args.exact, "fresh": args.fresh, "batch": args.batch}
    last = watched(build.build(found, look, out, workers, **how), len(found))
    if not workers.first:
        sys.exit(0)
    return summary(out, last)


def watched(steps: "Iterable[Progress]", total: int) -> "Progress | None":
    """Show a bar with the rate; the last state."""
    here, last = JobContext.from_env(), None
    with bar(total, " pictures") as shown:
        for last in steps:
            shown.update(last.done - shown.n)
            here.metric(done=last.done, total=last.total, rate=round(last.rate, 1))
            here.checkpoint(last.done)
            if here.stopping():
                raise KeyboardInterrupt
    return last


def summary(out: Path, last: "Progress | None") -> dict[str, Any]:
    """What stands in the folder, and what this call did for it."""
    from memviz.retrieval.index.index import read_manifest

    told = vars(read_manifest(out))
    done = {"embedded": 0, "reused": 0, "seconds": 0.0, "rate": 0.0}
    if last is not None:
        done = {name: getattr(last, name) for name in done}
    problems = read_json(out / "problems.json", [{}])
    result = {"folder": str(out.resolve()), **told, **done}
    result["problems"] = [row for row in problems if row["problem"]]
    result["duplicates"] = largest(out)
    JobContext.from_env().result(folder=result["folder"], images=told["images"])
    return result


def largest(out: Path) -> list[dict[str, Any]]:
    """The groups of duplicates with most pictures, each with one of its captions."""
    import pyarrow.parquet as pq

    groups = read_json(out / "duplicates.json", [[int]])[:LARGEST]
    if not groups:
        return []
    wanted: list[Any] = [("id", "in", [ids[0] for ids in groups])]
    with guard_format(out / "items.parquet", "a table of items"):
        names = ["id", "place", "caption"]
        found = pq.read_table(out / "items.parquet", columns=names, filters=wanted)
    first = {item["id"]: item for item in found.to_pylist()}
    return [first[ids[0]] | {"count": len(ids), "ids": ids} for ids in groups]


def as_table(result: dict[str, Any]) -> str:
    """A few lines."""
    counts, groups = result["counts"], result["duplicates"]
    lines = [
        f"{result['images']:,} pictures of {result['corpus']} by {result['preset']}, "
        f"{result['recipe']}: {result['embedded']:,} embedded at {result['rate']:.1f} a second.",
        f"{counts['duplicate_groups']:,} groups of duplicates in it, "
        f"{counts['duplicated_images']:,} pictures in all{'; the largest:' if groups else '.'}",
        *(f"  {group['count']} times: {group['caption'] or group['place']}" for group in groups),
    ]
    if result["problems"]:
        lines.append(f"{len(result['problems']):,} pictures cannot be read:")
        lines += [f"  {row['place']}: {row['problem']}" for row in result["problems"][:20]]
        lines.append(f"All of them stand in {result['folder']}/problems.json.")
    return "\n".join([*lines, result["folder"]])


VERB = Verb(
    run,
    as_table,
    options,
)
