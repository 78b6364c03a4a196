"""`python -m memviz rounds DIR`: where did a finished training begin to copy?"""

import argparse
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.options import add_options
from memviz.cli.tables import table
from memviz.cli.train import spoken
from memviz.jobs import JobContext
from memviz.number_lists import parse_ints
from memviz.training import cli_flags
from memviz.training.config import read_config
from memviz.training.unconditional.architecture import is_unconditional

WATCHED = ("probes", "probe_prompts", "probe_steps", "probe_samples", "descriptor")


def options(sub: argparse.ArgumentParser) -> None:
    """Which training, and how closely it is looked at."""
    sub.add_argument("trained", type=Path, metavar="DIR", help="the output folder of a training")
    sub.add_argument("--out", type=Path, help="where the pictures go (DIR/sweep)")
    add_options(sub, "seeds", seeds={"default": "0,1"})
    cli_flags.add_some(sub, WATCHED, "as it was in the training")


def rounds(args: argparse.Namespace) -> dict[str, Any]:
    """Look at every saved round; the looks, where copying began, and the model before that."""
    from memviz.training.monitoring.round_sweep import sweep
    from memviz.training.unconditional.run import sweep_rounds

    changes = {name: getattr(args, name) for name in WATCHED if name in args}
    here, looks = JobContext.from_env(), []
    out = args.out or args.trained / "sweep"
    if is_unconditional(read_config(args.trained).model):
        events = sweep_rounds(args.trained, out, **changes)
    else:
        events = sweep(args.trained, out, parse_ints(args.seeds, "--seeds"), **changes)
    event: dict[str, Any] = {}
    for event in events:
        here.metric(**event)
        if event["event"] == "probe":
            looks.append(event)
            say(spoken(event))
    last = looks[-1]
    told = {"copying_from": last["copying_from"], "stop_here": last["stop_here"]}
    here.result(**told, best=event["model"])
    return {**told, "model": event["model"], "looks": looks}


def as_table(result: dict[str, Any]) -> str:
    """A line per round, and where to stop."""
    names = [*result["looks"][0]["groups"]]
    rows = [
        (
            f"{look['round']} (mid-schedule)" if look["mid_schedule"] else look["round"],
            look["step"],
            *(f"{look['groups'][name]['copied']:.0%}" for name in names),
            "<- stop here" if look["round"] == result["stop_here"] else "",
        )
        for look in result["looks"]
    ]  # fmt: skip
    head = ("round", "step", *(f"copied, {name}" for name in names), "")
    return f"{table(head, rows)}\n--model {result['model']}"


VERB = Verb(rounds, as_table, options)
