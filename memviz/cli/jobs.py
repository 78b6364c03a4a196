"""`python -m memviz jobs [ACTION] [ID]`."""

import argparse
import sys
import time
from typing import Any

from memviz import jobs
from memviz.cli.command import Verb
from memviz.cli.tables import table

PAUSE = 0.5  # seconds between two looks at a job that is followed
ACTIONS = ("list", "follow", "stop", "resume", "clone", "remove")


def options(sub: argparse.ArgumentParser) -> None:
    """What to do, and with which job."""
    what = "list (the default), follow, stop (twice: kill), resume, clone, or remove with its files"
    sub.add_argument("action", nargs="?", default="list", choices=ACTIONS, help=what, metavar="do")
    sub.add_argument("id", nargs="?", default="", help="the job, for all but list")


def run(args: argparse.Namespace) -> list[dict[str, Any]]:
    """The jobs concerned, as they are afterwards."""
    if args.action == "list":
        return [*map(summary, jobs.listing()), *map(damage, jobs.damaged())]
    if args.action == "remove":
        return [remove(jobs.find_any(args.id))]
    job = jobs.find(args.id)
    match args.action:
        case "follow":
            follow(job)
        case "stop":
            job.stop()
        case "resume":
            job.resume()
        case "clone":
            job = job.clone()
    return [summary(job)]


def remove(job: jobs.Job | jobs.DamagedJob) -> dict[str, Any]:
    """What it was, and that it is gone."""
    was = summary(job) if isinstance(job, jobs.Job) else damage(job)
    job.remove()
    return was | {"state": "removed"}


def damage(job: jobs.DamagedJob) -> dict[str, Any]:
    """A folder that is no job any more, in the fields of one."""
    names = ("exit", "kind", "title", "device", "checkpoint", "silent_seconds", "command", "result")
    known = {"id": job.id, "state": "damaged", "words": job.reason, "folder": str(job.folder)}
    return known | dict.fromkeys(names)


def follow(job: jobs.Job) -> None:
    """What it prints, from its last lines on, until it is over; Ctrl-C leaves it alone."""
    log = job.folder / "log.txt"
    print(*job.log_tail(10), sep="\n", file=sys.stderr)
    with log.open("rb") as file:
        file.seek(0, 2)
        over = False
        while not over:
            over = job.state().over  # before the last read, so that nothing is missed
            sys.stderr.write(file.read().decode("utf-8", "replace"))
            sys.stderr.flush()
            if not over:
                time.sleep(PAUSE)


def summary(job: jobs.Job) -> dict[str, Any]:
    """One job."""
    now = job.state()
    return {
        "id": job.id,
        "state": now.name,
        "words": now.words,
        "exit": now.exit,
        "kind": job.asked["kind"],
        "title": job.asked["title"],
        "device": job.asked["device"],
        "checkpoint": now.step,
        "silent_seconds": job.silence(),
        "command": jobs.shown(job.command),
        "result": job.result(),
        "folder": str(job.folder),
    }


def as_table(result: list[dict[str, Any]]) -> str:
    """One line each."""
    rows = [(j["id"], j["state"], j["kind"] or "-", j["title"] or "-", j["words"]) for j in result]
    return table(("job", "state", "kind", "title", ""), rows) if rows else "No jobs yet."


VERB = Verb(
    run,
    as_table,
    options,
)
