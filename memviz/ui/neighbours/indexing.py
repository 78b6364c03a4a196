"""Corpora that are new to the Neighbours tab: indexed in the background, then searched."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from memviz import jobs
from memviz.errors import InputError, MemvizError
from memviz.ui.shared import access

if TYPE_CHECKING:
    from memviz.retrieval.copy_detector import CopyDetector

KIND = "index"
CLOSED = "{name} has no index by {preset} yet, and only the owner of this page can make one."
BEGUN = (
    "{name} is new here: it is made searchable in the background, also while this page is closed. "
    "Ask again when it is done."
)


class Begun(MemvizError):
    """There is nothing to search yet, and nothing is wrong either: one sentence."""


def searchable(name: str, preset: str) -> "CopyDetector":
    """Corpus, descriptor and index. Raises Begun while a job makes the index."""
    from memviz import resources
    from memviz.retrieval.index.index import IndexMismatch

    try:
        return resources.open_detector(name, preset)
    except IndexMismatch:
        if access.public():
            raise InputError(CLOSED.format(name=name, preset=preset)) from None
        begin(name, preset)
        raise Begun(BEGUN.format(name=name)) from None


def begin(name: str, preset: str) -> jobs.Job:
    """The job that indexes a corpus: under way, gone on with where it broke off, or new."""
    argv = jobs.verb("index", name.strip(), "--preset", preset)
    same = (job for job in jobs.listing() if job.asked["argv"] == argv and here(job))
    job = next(same, None)
    if job is None or job.state().name == "done":
        return jobs.start(KIND, argv, title=f"Index of {Path(name).name} by {Path(preset).name}")
    return job if not job.state().over else job.resume()


def here(job: jobs.Job) -> bool:
    """Whether a relative path means the same to it."""
    return job.asked["cwd"] == os.getcwd()
