"""`python -m memviz train`: fine-tune here, in this terminal or inside a job."""

import argparse
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb, say
from memviz.cli.tables import table
from memviz.errors import InputError, MemvizError
from memviz.jobs import JobContext
from memviz.training import cli_flags
from memviz.training.config import Config, read_config
from memviz.training.job import register_model


def options(sub: argparse.ArgumentParser) -> None:
    """A flag for every setting, and where it goes."""
    sub.add_argument("--out", type=Path, metavar="DIR", help="output folder")
    sub.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    sub.add_argument(
        "--dry-run", action="store_true", help="tell what it would take, train nothing"
    )
    sub.add_argument(
        "--background", action="store_true", help="start it as a job and return; see `jobs`"
    )
    cli_flags.add(sub)


def train(args: argparse.Namespace) -> dict[str, Any]:
    """Train to the end, or until asked to stop; its last event."""
    if args.background:
        return begun(args)
    if args.out is None:
        raise InputError("--out is missing; name the folder in which the model is to stand.")
    config = asked(args)
    if args.dry_run:
        from memviz.training.dry_run import plan

        return plan(config, args.out, say)
    from memviz.training.trainer import train

    here, first = JobContext.from_env(), os.environ.get("RANK", "0") == "0"
    signals, event = catch_signals(), {}

    def stopping() -> bool:
        return bool(signals) or here.stopping()

    for event in train(config, args.out, stopping, args.resume, say if first else hush):
        if first:
            told(event, args.out, here)
    if signals and event.get("event") == "stopped":
        say(f"Stopped at step {event['step']}; go on with --resume.")
        raise SystemExit(128 + signals[0])
    if not first:  # the other processes of `accelerate launch` have nothing to add
        raise SystemExit
    return event | {"out": str(args.out.resolve())}


def begun(args: argparse.Namespace) -> dict[str, Any]:
    """A job of its own that does the same; without --out it writes into the job's folder."""
    from memviz.training.job import OUT, start

    if args.resume or args.dry_run:
        raise InputError("--background starts a new training; resume one with `jobs resume ID`.")
    job = start(config_of(args), out=str(args.out.resolve()) if args.out else OUT)
    say(f"Follow it: python -m memviz jobs follow {job.id}")
    return {"id": job.id, "state": job.state().name, "folder": str(job.folder)}


def asked(args: argparse.Namespace) -> Config:
    """The settings: those of the folder where it is resumed, changed by the flags given."""
    given = cli_flags.given(args)
    if not args.resume or not (args.out / "config.json").exists():
        return config_of(args)
    return replace(read_config(args.out), **given)  # the trainer says what must stay


def config_of(args: argparse.Namespace) -> Config:
    """The settings of flags and preset; those of a preset give way to what the corpus can have."""
    config = Config(**cli_flags.given(args))
    if not args.preset or not config.corpus:
        return config
    from memviz.data import corpus
    from memviz.training.data.entries import suit

    return suit(config, corpus.load(config.corpus), vars(args))


def catch_signals() -> list[int]:
    """The signals that wanted an end so far: Ctrl-C and SIGTERM; a second one ends at once."""
    import signal

    caught: list[int] = []

    def catch(number: int, frame: object) -> None:
        if caught:
            raise SystemExit(128 + number)
        caught.append(number)
        say("Stopping at the next chance, and all is kept; once more to end at once.")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, catch)
    return caught


def told(event: dict[str, Any], out: Path, here: JobContext) -> None:
    """Keep an event where the job keeps its own, and say it on stderr."""
    here.metric(**event)
    match event["event"]:
        case "checkpoint":
            here.checkpoint(event["step"])
        case "done":
            model = out.resolve() / event["folder"]
            here.result(model=str(model), seconds=event["seconds"])
            try:
                register_model(here, model)
            except MemvizError as error:  # a config.json that cannot be read: the model stands
                say(str(error))
    if line := spoken(event):
        say(line)


def spoken(event: dict[str, Any]) -> str:
    """An event as a line; nothing for those that only a reader of numbers wants."""
    match event["event"]:
        case "start":
            again = f", resumed at {event['resumed_at']}" if event["resumed_at"] else ""
            return (
                f"{event['mode']}: {event['steps']} steps, {event['samples']} samples, "
                f"{event['members']} members in {event['processes']} processes{again}"
            )
        case "step":
            return (
                f"step {event['step']} of {event['steps']}, round {event['round']}, member "
                f"{event['member']}: loss {event['loss']:.5f}, kept {event['kept']:.0%}, "
                f"{event['samples_per_second']:.1f} samples/s, {clock(event['left'])} left"
            )
        case "fixed_loss" if event["held_out"] is not None:
            return f"round {event['round']}: loss {event['held_out']:.5f} on pictures held out"
        case "probe":
            groups = event["groups"].items()
            shares = ", ".join(f"{name} {figures['copied']:.0%}" for name, figures in groups)
            within = "" if event["member"] is None else f", step {event['step']}"
            mid = " (in mid-schedule)" if event["mid_schedule"] else ""
            return f"round {event['round']}{within}{mid}: copied {shares}"
        case "gate":
            return f"round {event['round']}: skipped {event['skipped']:.1%}"
    return ""


def clock(seconds: float) -> str:
    """A time as 1:02:03."""
    return str(timedelta(seconds=round(seconds)))


def hush(text: str) -> None:
    """Nothing."""


def as_table(result: dict[str, Any]) -> str:
    """A figure a line."""
    return table(("what", "value"), result.items())


VERB = Verb(train, as_table, options)
