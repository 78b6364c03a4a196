"""One grid of two models: the runs of the model before and after training, side by side."""

from collections.abc import Iterator
from typing import Any

from memviz import jobs, runs
from memviz.training import background
from memviz.training.config import Config
from memviz.ui import compare, trainer
from memviz.ui.live import Live, Ticket, View
from memviz.ui.sides import merged

EACH = 2  # prompts of a group


def asks(job: jobs.Job) -> list[dict[str, Any]]:
    """The same question to the model before and to the one after, on the prompts it watched.

    Raises ValueError if there is no model yet, or nothing was watched.
    """
    model, prompts = trainer.made(job), watched(job)
    if not model:
        raise ValueError("This training has not come to its end; there is no model to compare yet.")
    if not prompts:
        raise ValueError("This training watched no prompts. Choose its model under Compare.")
    same = {
        "prompts": prompts,
        "methods": ["cfg"],
        "seeds": [0],
        "corpus": background.option(job, "--corpus"),
        "descriptor": background.option(job, "--descriptor") or Config.descriptor,
    }
    before = background.option(job, "--model") or Config.model
    return [same | {"model": before}, same | {"model": model}]


def watched(job: jobs.Job) -> list[str]:
    """The first prompts of each group of its last look."""
    groups: dict[str, list[str]] = {}
    for item in trainer.history(job.id).read().last("probe").get("pictures", ()):
        known = groups.setdefault(item["group"], [])
        if item["prompt"] not in known and len(known) < EACH:
            known.append(item["prompt"])
    return list(dict.fromkeys(prompt for known in groups.values() for prompt in known))


def run(live: Live, job: jobs.Job) -> Iterator[list[Any]]:
    """Make both runs, one after the other, and show them in one grid; for `compare.Tab.outputs`."""
    first, second = (live.start(compare.work(asked), compare.look) for asked in asks(job))
    for view in first.watch():
        yield compare.shown(view, compare.notice(), first, done=False)
    before = ended(first)
    if before is None or before["state"] != "done":
        live.stop(second.token)
        yield compare.shown(before, told(first))
        return
    for view in second.watch():
        yield compare.shown(merged(before, view), compare.notice(), second, done=False)
    after = ended(second)
    yield compare.shown(after and merged(before, after), told(second))


def ended(ticket: Ticket) -> View | None:
    """The view of a run that is over."""
    return compare.saved(runs.read(ticket.run_id)) if ticket.run_id else None


def told(ticket: Ticket) -> str:
    """What went wrong, if anything did."""
    return compare.notice(compare.sentence(ticket.error) if ticket.error else "")
