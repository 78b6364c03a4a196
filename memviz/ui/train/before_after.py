"""One grid of two models: the runs of the model before and after training, side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from memviz import jobs
from memviz.errors import InputError
from memviz.runs import store
from memviz.training import job as training_job
from memviz.training.config import Config
from memviz.ui.compare import tab
from memviz.ui.compare import view as compare_view
from memviz.ui.compare.two_models import merged
from memviz.ui.shared import messages, start_run
from memviz.ui.shared.live import Live, Ticket, View
from memviz.ui.train import jobs as train_jobs

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView

EACH = 2  # prompts of a group


def asks(job: jobs.Job) -> list[dict[str, Any]]:
    """The same question to the model before and to the one after, on the prompts it watched.

    Raises ValueError if there is no model yet, or nothing was watched.
    """
    model, prompts = train_jobs.made(job), watched(job)
    if not model:
        raise InputError("This training has not come to its end; there is no model to compare yet.")
    if not prompts:
        raise InputError("This training watched no prompts. Choose its model under Compare.")
    same = {
        "prompts": prompts,
        "methods": ["cfg"],
        "seeds": [0],
        "corpus": training_job.option(job, "--corpus"),
        "descriptor": training_job.option(job, "--descriptor") or Config.descriptor,
    }
    before = training_job.option(job, "--model") or Config.model
    return [same | {"model": before}, same | {"model": model}]


def watched(job: jobs.Job) -> list[str]:
    """The first prompts of each group of its last look."""
    groups: dict[str, list[str]] = {}
    for item in train_jobs.history(job.id).read().last("probe").get("pictures", ()):
        known = groups.setdefault(item["group"], [])
        if item["prompt"] not in known and len(known) < EACH:
            known.append(item["prompt"])
    return list(dict.fromkeys(prompt for known in groups.values() for prompt in known))


def run(live: Live, job: jobs.Job) -> Iterator[list[Any]]:
    """Make both runs, one after the other, and show them in one grid; for `compare.Tab.outputs`."""
    first, second = (
        live.start(start_run.work(asked), look, job.asked["title"]) for asked in asks(job)
    )
    for view in first.watch():
        yield tab.shown(view, messages.notice(), first, done=False)
    before = ended(first)
    if before is None or before["state"] != "done":
        live.stop(second.token)
        yield tab.shown(before, messages.outcome(first.error))
        return
    for view in second.watch():
        whole = view if "waiting" in view else merged(before, view)
        yield tab.shown(whole, messages.notice(), second, done=False)
    after = ended(second)
    yield tab.shown(after and merged(before, after), messages.outcome(second.error))


def look(progress: "StepView") -> View:
    """The whole view of a run between two of its steps: two are merged into one."""
    return compare_view.view(progress.snapshot(), progress.previews, live=True)


def ended(ticket: Ticket) -> View | None:
    """The view of a run that is over."""
    return tab.saved(store.read(ticket.run_id)) if ticket.run_id else None
