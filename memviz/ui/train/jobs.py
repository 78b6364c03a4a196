"""What the Train tab does: plan, start and look at fine-tunings. No controls here."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from memviz import jobs
from memviz.errors import InputError
from memviz.io.paths import expand
from memviz.training import job as training_job
from memviz.ui.shared.thumbs import Thumbs
from memviz.ui.train import form
from memviz.ui.train.history import History
from memviz.ui.train.view import view


def choices() -> list[tuple[str, str]]:
    """They, as a menu."""
    return [(f"{job.asked['title']} ({job.id[:15]})", job.id) for job in training_job.known()]


def first() -> str | None:
    """The one to show unasked: the newest under way, else the newest."""
    found = training_job.known()
    busy = (job.id for job in found if not job.state().over)
    return next(busy, found[0].id if found else None)


def start(title: str | None, values: Sequence[Any]) -> jobs.Job:
    """Begin the fine-tuning that the form asks for. Raises ValueError if that cannot be."""
    return training_job.start(form.config(values), title or "")


def watch(folder: str | None, values: Sequence[Any]) -> jobs.Job:
    """Begin to watch the folder of another trainer, with the form's model, corpus and prompts."""
    if not (folder or "").strip():
        raise InputError("There is no folder. Give the one that the other trainer saves to.")
    return training_job.watch(expand(str(folder)), form.config(values))


def plan(values: Sequence[Any]) -> Iterator[str | dict[str, Any]]:
    """What the trainer says while it looks, then what it would do.

    Raises ValueError with its sentence. Leave the generator and it stops looking.
    """
    asked, last = form.config(values), ""
    with tempfile.TemporaryDirectory() as place:
        argv = [*training_job.command(asked, f"{place}/out"), "--dry-run", "--json"]
        with subprocess.Popen(
            argv,
            text=True,
            env=jobs.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout and process.stderr  # both are pipes
            try:
                for last in filter(None, map(str.strip, process.stderr)):
                    yield last
                found = process.stdout.read()
                process.wait()
            finally:
                process.kill()  # for who left; it does nothing to a process that has ended
    if process.returncode:
        raise InputError(last or "The trainer could not look at this.")
    yield json.loads(found)


@lru_cache(maxsize=64)
def history(job_id: str) -> History:
    """What a job told so far; kept, so that a look only reads what is new."""
    return History(jobs.find(job_id))


def look(job: jobs.Job) -> dict[str, Any]:
    """The job as the browser draws it."""
    out, corpus = (training_job.option(job, name) for name in ("--out", "--corpus"))
    small = Thumbs(job.id, Path(out), corpus)
    return view(history(job.id).read(), small.probe, small.trained)


def fingerprint(job: jobs.Job) -> str:
    """What changes whenever there is something new to see."""
    files = (job.folder / name for name in ("metrics.jsonl", "log.txt"))
    sizes = [file.stat().st_size if file.exists() else -1 for file in files]
    return json.dumps([job.id, job.state().name, *sizes])


def made(job: jobs.Job) -> str | None:
    """The folder of the model that a finished job wrote."""
    return (job.result() or {}).get("model")


def sweepable(job: jobs.Job) -> bool:
    """Whether a fine-tuning left rounds that can be looked at."""
    return job.asked["kind"] == training_job.KIND and bool(history(job.id).read().last("saved"))
