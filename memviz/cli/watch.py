"""`python -m memviz watch DIR`: when does a training of any program begin to copy?"""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.options import add_options
from memviz.cli.tables import table
from memviz.cli.train import catch_signals, spoken
from memviz.errors import InputError
from memviz.jobs import JobContext
from memviz.number_lists import parse_ints
from memviz.training import cli_flags
from memviz.training.config import Config
from memviz.training.job import WATCH_SETTINGS


def options(sub: argparse.ArgumentParser) -> None:
    """Which folder, from which model, and how closely it is looked at."""
    sub.add_argument("folder", type=Path, metavar="DIR", help="where the trainer saves")
    sub.add_argument("--base", required=True, help="the model that it trains: a name or a folder")
    sub.add_argument("--out", type=Path, help="where the curve goes (DIR/memviz-watch)")
    sub.add_argument("--once", action="store_true", help="look at what is there, then end")
    sub.add_argument("--background", action="store_true", help="start it as a job and return")
    add_options(sub, "seeds")
    cli_flags.add_some(sub, WATCH_SETTINGS)


def watch(args: argparse.Namespace) -> dict[str, Any]:
    """Look at each state as it is saved, until Ctrl-C; the looks, and where copying began."""
    config = Config(**cli_flags.given(args), model=args.base)
    if not config.corpus:
        raise InputError("--corpus is missing: name the pictures that the model is trained on.")
    if args.background:
        from memviz.training.job import watch

        job = watch(args.folder, config, args.out, args.seeds)
        return {"id": job.id, "state": job.state().name, "folder": str(job.folder)}
    from memviz.training.monitoring.folder_watch import watch_folder

    here, signals, looks = JobContext.from_env(), catch_signals(), list[dict[str, Any]]()
    seeds = parse_ints(args.seeds, "--seeds")
    for event in watch_folder(
        args.folder, config, seeds, args.out, args.once, lambda: bool(signals) or here.stopping()
    ):
        here.metric(**event)
        if event["event"] == "probe":
            looks.append(event)
            say(f"{event['saved'] or args.base}, step {event['step']}: {spoken(event)}")
    last = looks[-1]
    told = {"copying_from": last["copying_from"], "stop_here": stop_step(looks)}
    here.result(**told)
    return {**told, "looks": looks}


def stop_step(looks: list[dict[str, Any]]) -> int | None:
    """The step of the last look before copying began."""
    number = looks[-1]["stop_here"]
    return None if number is None else looks[number]["step"]


def as_table(result: dict[str, Any]) -> str:
    """A line per look, and where to stop."""
    if "looks" not in result:
        return table(("what", "value"), result.items())
    names = [*result["looks"][0]["groups"]]
    rows = [
        (
            look["saved"] or "the model before", look["step"],
            *(f"{look['groups'][name]['copied']:.0%}" for name in names),
            "<- stop here" if look["step"] == result["stop_here"] else "",
        )
        for look in result["looks"]
    ]  # fmt: skip
    return table(("saved", "step", *(f"copied, {name}" for name in names), ""), rows)


VERB = Verb(watch, as_table, options)
