"""Evaluations as jobs: what the Evaluate tab starts."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from memviz import jobs
from memviz.evaluation.store import root
from memviz.io.ids import new_id

KIND = "evaluate"
GRACE = 120.0  # seconds to finish a group of pictures


def start_evaluation(
    words: Sequence[str], title: str, device: str, prompts: Path | None = None
) -> jobs.Job:
    """Begin `memviz evaluate` with these words, into a new folder of `store.root()`.

    A file of prompts is copied into it first: an upload may be cleaned away while it waits.
    """
    out = root() / new_id()
    out.mkdir(parents=True)
    if prompts:
        kept = out / f"prompts{prompts.suffix}"
        shutil.copyfile(prompts, kept)
        words = [*words, "--prompts", str(kept)]
    return jobs.start(KIND, command(words, str(out)), title, device, grace=GRACE)


def command(words: Sequence[str], out: str) -> list[str]:
    """The exact command."""
    return jobs.verb(KIND, *words, "--out", out)


def find_job(folder: Path) -> jobs.Job | None:
    """The newest job that works on an evaluation's folder."""
    known = (job for job in jobs.listing() if job.asked["kind"] == KIND)
    return next((job for job in known if job.command[-1] == str(folder)), None)
