"""`python -m memviz evaluate`."""

import argparse
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, bar, say
from memviz.cli.generate import add_prompt_options
from memviz.cli.tables import table
from memviz.evaluation.bulk import ROWS, Share
from memviz.evaluation.protocols import Protocol, list_protocols, load_protocol
from memviz.guidance.spec import split_methods
from memviz.io import atomic, paths
from memviz.io.disk import format_bytes
from memviz.jobs import JobContext
from memviz.number_lists import parse_ints
from memviz.retrieval.clip_choice import DEMO, NAMES

if TYPE_CHECKING:
    from memviz.evaluation.evaluate import Progress

GIVEN = (
    "model",
    "corpus",
    "prompts",
    "ordinary",
    "template",
    "draw",
    "limit",
    "steps",
    "descriptor",
    "clip",
)


def options(sub: argparse.ArgumentParser) -> None:
    """The protocol, and what of it shall be another."""
    text = sub.add_argument
    text("--protocol", default="standard", metavar="NAME",
         help=f"{', '.join(list_protocols())}, or a TOML file (default: %(default)s)")  # fmt: skip
    text("--model", help="a name, a folder, owner/name or PIPE+UNET")
    text("--corpus", help="the training pictures")
    add_prompt_options(sub)
    text("--ordinary", metavar="PLACE", help="prompts that a detector must tell from the others")
    text("--methods", help="as cfg,stp:at=500")
    text("--seeds", help="whole numbers, as 0,1,2 or 0-3")
    text("--steps", type=int, help="of denoising")
    text("--descriptor", help="how pictures are compared")
    text("--clip", help=f"{', '.join([DEMO, *NAMES])}, a folder or a hub id")
    text("--images", type=Path, metavar="DIR", help="judge these pictures instead of making some")
    text("--smoke", action="store_true", help="the same on the demo with tiny counts, as a trial")
    text("--skip-missing", action="store_true", help="leave out columns that need a download")
    text("--batch", type=int, default=ROWS, help="pictures made together (default: %(default)s)")
    text("--dry-run", action="store_true", help="say what it would take, and start nothing")
    text(
        "--publish",
        action="store_true",
        help="put what is done in or below --out into assets/demo and docs/evaluation.md",
    )
    text("--out", type=Path, required=True, metavar="DIR", help="pictures, features and tables")


def evaluate(args: argparse.Namespace) -> dict[str, Any]:
    """Run a protocol; its result."""
    if args.publish:
        return publish(args.out)
    from memviz.evaluation.evaluate import Evaluation, demo_twin
    from memviz.evaluation.evaluate import evaluate as run

    stated = load_protocol(args.protocol)
    here = change_protocol(demo_twin(stated) if args.smoke else stated, args)
    skip = args.skip_missing or args.smoke
    asked = Evaluation(here, args.out, stated, args.images, skip, args.batch)
    if args.dry_run:
        from memviz.evaluation.plan import plan_evaluation

        return {"plan": asdict(plan_evaluation(asked))}
    job = JobContext.from_env()
    result = watch(run(asked, Share.from_env()), job)
    if result:
        job.result(folder=str(args.out.resolve()))
    return result or {"rows": [], "process": Share.from_env().rank}


def publish(out: Path) -> dict[str, Any]:
    """Write the demo's evaluation and its tables; parts that are not in `out` stay."""
    from memviz.evaluation import publish as publishing

    page = paths.page("evaluation.md")
    parts = publishing.order_parts(publishing.read_published() | publishing.collect_parts(out))
    text = publishing.refresh_page(page.read_text("utf-8"), parts)
    atomic.json(publishing.published_file(), parts, indent=None)
    atomic.text(page, text)
    return {"published": str(publishing.published_file()), "parts": list(parts)}


def change_protocol(protocol: Protocol, args: argparse.Namespace) -> Protocol:
    """The protocol with what was given in place of its own."""
    given: dict[str, Any] = {
        name: value for name in GIVEN if (value := getattr(args, name)) is not None
    }
    if args.methods:
        given["methods"] = tuple(split_methods(args.methods))
    if args.seeds:
        given["seeds"] = tuple(parse_ints(args.seeds, "--seeds"))
    return replace(protocol, **given)


def watch(steps: "Iterable[Progress]", job: JobContext) -> dict[str, Any] | None:
    """Go through them with a bar per stage; the last result.

    What is made stays in the folder, so a job that shall stop leaves at once and can be resumed.
    """
    result, stage, shown = None, "", None
    for step in steps:
        if step.stage != stage:
            if shown is not None:
                shown.close()
            stage, shown = step.stage, bar(step.total, "picture")
            say(stage)
        if shown is not None:
            shown.update(step.done - shown.n)
        job.metric(stage=step.stage, done=step.done, total=step.total)
        job.checkpoint(step.done)
        if job.stopping():
            raise KeyboardInterrupt
        result = dict(step.result) if step.result else result
    if shown is not None:
        shown.close()
    return result


def as_table(result: dict[str, Any]) -> str:
    """The rows, and where the rest is."""
    if "published" in result:
        return f"{', '.join(result['parts'])} in {result['published']} and docs/evaluation.md"
    if "plan" in result:
        return describe_plan(result["plan"])
    if not result["rows"]:
        return f"Process {result['process']} has made its pictures; the first one judges all."
    from memviz.evaluation.tables import caption, text_cells

    head, lines = text_cells(result)
    departs = list(dict.fromkeys(line[-1] for line in lines[: len(lines)] if line[-1] != "-"))
    marked = [
        [*line[:-1], f"({departs.index(line[-1]) + 1})" if line[-1] in departs else ""]
        for line in lines
    ]
    notes = [f"({i + 1}) {text}" for i, text in enumerate(departs)]
    left = [f"Left out, no {part}: {what}" for part, what in result["left_out"].items()]
    files = "\n".join(result["files"].values())
    return "\n".join([table(head, marked), "", *notes, *left, caption(result), files])


def describe_plan(plan: dict[str, Any]) -> str:
    """What would be made, what it takes, and what is missing."""
    made = f"{plan['methods']} methods, {plan['prompts']} prompts, {plan['pictures']} pictures"
    lines = [f"{made}, of which {plan['ready']} are there."]
    if plan["seconds"] is not None:
        room = f"{format_bytes(plan['bytes'])} of {format_bytes(plan['free_bytes'])} that are free"
        lines.append(f"About {plan['seconds']:.0f} s to make the others here, and {room}.")
    lines += [f"Missing, {need['part']}: {need['what']} ({need['size']}, {need['license']})"
              for need in plan["missing"]]  # fmt: skip
    return "\n".join([*lines, "Columns: " + ", ".join(plan["columns"])])


VERB = Verb(evaluate, as_table, options)
