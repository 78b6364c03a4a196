"""Runs that were deleted a moment ago, from where they can be brought back."""

import os
import shutil
import time
from pathlib import Path

from memviz.io.paths import home
from memviz.runs import store
from memviz.runs.store import Run, RunError

LIFE = 3_600.0  # seconds that a deleted run can be brought back


def root() -> Path:
    """Where deleted runs are kept for a while: $MEMVIZ_HOME/trash."""
    return home() / "trash"


def list_deleted() -> list[Run]:
    """What can be brought back, newest first."""
    return list(store.kept(root()))


def delete_run(run_id: str) -> None:
    """Take one of the user's runs out of every list. Raises RunError for one that has to stay."""
    run = store.own(run_id)
    root().mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root() / run_id, ignore_errors=True)
    run.folder.rename(root() / run_id)
    os.utime(root() / run_id)  # its age in the trash counts from now


def restore_run(run_id: str) -> None:
    """Bring a deleted run back. Raises RunError if it is gone for good."""
    if run_id not in [run.record.id for run in list_deleted()]:
        raise RunError(f"Run {run_id} is not among the deleted ones any more.")
    (root() / run_id).rename(store.root() / run_id)


def empty_trash(life: float = LIFE) -> None:
    """Remove for good what was deleted longer than `life` seconds ago."""
    for folder in root().glob("*"):
        if time.time() - folder.stat().st_mtime >= life:
            shutil.rmtree(folder, ignore_errors=True)
