"""The data folder in order: what is left over, damaged or too much is found, and taken away.

`find_problems` looks, `Problem.mend` repairs; `choose_old` names what a cap on age or size would
remove. Bundled and starred runs, models that were trained here, and whatever a process still works
on are never touched.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from memviz import jobs
from memviz.io import atomic, user_config
from memviz.io.disk import used_bytes
from memviz.io.ids import ID
from memviz.io.paths import home
from memviz.jobs.job import list_folder
from memviz.retrieval.index.index import IndexMismatch, read_manifest
from memviz.runs import resume, store
from memviz.runs.note import STAR
from memviz.runs.record import CellState
from memviz.search import folder as searches

PART = re.compile(r".+\.(?P<pid>\d+)\.part")  # a file that a process writes aside
DAY = 86_400.0
YOUNG = DAY  # seconds after which a folder that was written aside counts as left over
ROOMS = ("runs", "jobs", "searches", "evaluations", "indexes", "thumbs", "trash")


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be, and what would be done about it."""

    path: Path
    what: str
    repair: str
    mend: Callable[[], None] | None  # None: only a person can
    loses: bool = False  # whether mending removes what might still be worth something


def find_problems() -> Iterator[Problem]:
    """All of the data folder: leftovers, runs that broke off, damaged entries."""
    yield from find_leftovers()
    yield from find_broken_runs()
    for run in store.damaged():
        yield Problem(run.folder, run.reason, "remove it", remover(run.folder), True)
    for job in jobs.damaged():
        yield Problem(job.folder, job.reason, "remove it", job.remove, True)
    yield from find_damaged_searches()
    yield from find_damaged_indexes()
    for words in user_config.find_problems():
        yield Problem(user_config.file(), words, "mend it in an editor", None)


def find_leftovers() -> Iterator[Problem]:
    """What a killed process had written aside, or was deleting."""
    for room in (home(), *(home() / name for name in ROOMS)):
        for path in list_folder(room):
            if is_left_over(path):
                yield Problem(path, "it was left by a process that ended", "remove it",
                              remover(path))  # fmt: skip
    for room in ("runs", "jobs", "searches"):
        for entry in list_folder(home() / room):
            plain = entry.is_dir() and not entry.is_symlink()
            if ID.fullmatch(entry.name) and plain and not is_job(entry.name, resumable=False):
                parts = (path for path in entry.rglob("*.part") if is_left_over(path))
                for path in parts:
                    yield Problem(path, "it was left by a process that ended", "remove it",
                                  remover(path))  # fmt: skip


def is_left_over(path: Path) -> bool:
    """Whether this was written aside, and nobody does so any more."""
    if path.suffix != ".part":
        return False
    if writer := PART.fullmatch(path.name):
        return not psutil.pid_exists(int(writer["pid"]))
    return path.name.startswith(".") or age(path) > YOUNG


def find_broken_runs() -> Iterator[Problem]:
    """Runs whose process is gone, and steps kept for runs that need them no more."""
    for run in store.kept(store.root()):
        resumable = is_job(run.folder.name)
        if run.record.state is CellState.BROKEN and not resumable:
            yield Problem(run.folder, "this run broke off", "note that it stopped", stopper(run))
        over = run.record.state in (CellState.DONE, CellState.FAILED)
        if over and not resumable and (run.folder / "unfinished").is_dir():
            steps = run.folder / "unfinished"
            yield Problem(steps, "steps of a run that is over", "remove them",
                          lambda folder=run.folder: resume.forget(folder))  # fmt: skip


def is_job(job_id: str, resumable: bool = True) -> bool:
    """Whether a job makes this run or, by default, could go on with it."""
    try:
        state = jobs.find(job_id).state()
    except jobs.JobError:
        return False
    return not state.over or (resumable and state.resumable)


def stopper(run: store.Run) -> Callable[[], None]:
    """Writes down that a run stopped."""

    def stop() -> None:
        update = {"state": CellState.STOPPED}
        cells = tuple(
            cell.model_copy(update=update) if cell.state is CellState.BROKEN else cell
            for cell in run.record.cells
        )
        store.write(replace(run, record=run.record.model_copy(update=update | {"cells": cells})))

    return stop


def find_damaged_searches() -> Iterator[Problem]:
    """Folders of searches that cannot be opened."""
    for folder in list_folder(searches.root()):
        whole = (folder / "summary.json").is_file()
        if ID.fullmatch(folder.name) and not whole and age(folder) > YOUNG:
            why = "this search has no summary.json: it broke off"
            yield Problem(folder, why, "remove it", remover(folder), True)


def find_damaged_indexes() -> Iterator[Problem]:
    """Folders of indexes that say nothing of themselves; they are built again when needed."""
    for folder in list_folder(home() / "indexes"):
        if folder.suffix in (".part", ".old", ".building") or "building" in folder.name:
            continue
        try:
            read_manifest(folder)
        except IndexMismatch as error:
            yield Problem(folder, str(error), "remove it", remover(folder), True)


def remover(path: Path) -> Callable[[], None]:
    """Removes a file or a folder; of a link, the link."""

    def remove() -> None:
        if path.is_dir() and not path.is_symlink():
            if path.name.startswith("."):
                shutil.rmtree(path)
            else:
                atomic.discard(path)
        else:
            path.unlink(missing_ok=True)

    return remove


def age(path: Path) -> float:
    """Seconds since it was last changed; 0 for what is gone."""
    try:
        return max(0.0, time.time() - path.lstat().st_mtime)
    except FileNotFoundError:
        return 0.0


@dataclass(frozen=True)
class Entry:
    """A run, search, job, evaluation or small pictures: what can be cleaned away as a whole."""

    kind: str
    folder: Path
    bytes: int
    days: float  # since it was last changed


def list_entries() -> list[Entry]:
    """All that may be cleaned away, the oldest first."""
    found = [("run", run.folder) for run in store.listed() if is_over(run)]
    found += [("search", place) for place in list_folder(searches.root()) if is_kept(place)]
    known = jobs.listing()
    found += [("job", job.folder) for job in known if job.state().over and not has_model(job)]
    found += [("evaluation", place) for place in list_evaluations() if is_unused(place, known)]
    alive = {job.id for job in known} | {place.name for place in list_evaluations()}
    thumbs = (place for place in list_folder(home() / "thumbs") if place.name not in alive)
    found += [("pictures", place) for place in thumbs if place.is_dir()]
    entries = [Entry(kind, place, used_bytes(place), age(place) / DAY) for kind, place in found]
    return sorted(entries, key=lambda entry: -entry.days)


def is_over(run: store.Run) -> bool:
    """Whether a run is one's own, ended, and without a star."""
    running = run.record.state is CellState.RUNNING or is_job(run.folder.name)
    return not running and not (run.folder / STAR).exists()


def is_kept(place: Path) -> bool:
    """Whether this is a finished search."""
    return bool(ID.fullmatch(place.name)) and (place / "summary.json").is_file()


def list_evaluations() -> list[Path]:
    """The folders of evaluations that the app began."""
    places = list_folder(home() / "evaluations")
    return [place for place in places if ID.fullmatch(place.name)]


def is_unused(place: Path, known: Iterable[jobs.Job]) -> bool:
    """Whether no job under way writes into this folder."""
    return all(job.state().over for job in known if str(place) in job.command)


def has_model(job: jobs.Job) -> bool:
    """Whether a job left, or can still leave, a model."""
    return job.asked["kind"] == "train" and (bool(job.result()) or job.state().resumable)


def choose_old(
    entries: Iterable[Entry], days: float | None = None, most: int | None = None
) -> list[Entry]:
    """Of these, oldest first, those older than `days`, and more until `most` bytes are left."""
    entries = list(entries)
    chosen = [entry for entry in entries if days is not None and entry.days > days]
    left = sum(entry.bytes for entry in entries) - sum(entry.bytes for entry in chosen)
    for entry in entries:
        if most is not None and left > most and entry not in chosen:
            chosen.append(entry)
            left -= entry.bytes
    return chosen


def remove_entry(entry: Entry) -> None:
    """Take one away, unless it came to life meanwhile."""
    if entry.kind == "job":
        jobs.find(entry.folder.name).remove()
    else:
        remover(entry.folder)()
