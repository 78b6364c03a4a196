"""A job as others see it: started, found, read, stopped and resumed through its folder."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import memviz
from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.ids import ID, new_id
from memviz.io.paths import home
from memviz.io.read import DamagedFile, Shape, read_json
from memviz.jobs.files import json_lines, last_row, tail
from memviz.jobs.files import read_json as read_if_whole
from memviz.jobs.process import PROCESS, alive, signal_group, take
from memviz.jobs.state import State, state

GRACE = 30.0  # seconds from the wish to stop to SIGTERM
SECRET = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET")  # of a Space, not of a job
OWNER = "MEMVIZ_OWNER_TOKEN"  # the key of a public page: of the app, never of what it starts
REQUEST: Shape = {  # job.json
    **{"kind": str, "title": str, "argv": [str], "device": str, "resume": [str], "grace": float},
    **{"cwd": (str, None), "clone_of?": (str, None), "created": float, "version?": str},
}


class JobError(MemvizError):
    """A job that is not there, or cannot do what was asked: one sentence."""


@dataclass(frozen=True)
class Job:
    """A job: its folder and what was asked."""

    folder: Path
    asked: dict[str, Any]

    @property
    def id(self) -> str:
        """Its name, everywhere."""
        return self.folder.name

    @property
    def command(self) -> list[str]:
        """What its worker runs the first time."""
        return [word.replace("{job}", str(self.folder)) for word in self.asked["argv"]]

    def state(self) -> State:
        """What it is doing now."""
        return state(self.folder)

    def metrics(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """The measurements after a byte offset and the offset to ask from next time."""
        return json_lines(self.folder / "metrics.jsonl", offset)

    def last_metric(self) -> dict[str, Any]:
        """The newest measurement; reads the end of the file only."""
        return last_row(self.folder / "metrics.jsonl")

    def every_metric(self) -> Iterator[dict[str, Any]]:
        """All measurements, however many."""
        offset, before = 0, -1
        while offset != before:
            before = offset
            rows, offset = self.metrics(offset)
            yield from rows

    def log_tail(self, lines: int = 40) -> list[str]:
        """The last lines it printed."""
        return tail(self.folder / "log.txt", lines)

    def silence(self) -> float | None:
        """Seconds since it last measured or printed something; None if it never did."""
        files = (self.folder / name for name in ("metrics.jsonl", "log.txt"))
        times = [file.stat().st_mtime for file in files if file.exists()]
        return max(0.0, time.time() - max(times)) if times else None

    def result(self) -> dict[str, Any] | None:
        """What it made, once it came to its end."""
        return read_if_whole(self.folder / "result.json")

    def stop(self) -> State:
        """Ask it to leave at its next step; what does not within `grace` seconds is ended.

        Asked a second time, it is killed at once. Raises JobError if it is over.
        """
        now = self.state()
        if now.over:
            raise JobError(f"Job {self.id} is {now.name}; only one under way can be stopped.")
        worker = read_if_whole(self.folder / "worker.json", PROCESS)
        if now.name == "stopping":
            signal_group(worker, signal.SIGKILL)
        else:
            (self.folder / "stop").touch()
        if not alive(read_if_whole(self.folder / "process.json", PROCESS)):
            # nobody is left to insist
            signal_group(worker, signal.SIGTERM)
        return self.state()

    def resume(self) -> "Job":
        """Run it again where its last checkpoint stands. Raises JobError unless it broke off."""
        now = self.state()
        if not now.resumable:
            raise JobError(
                f"Job {self.id} is {now.name}; only a stopped, failed or lost job can be resumed."
            )
        return launch(self)

    def clone(self) -> "Job":
        """The same work once more, from the beginning, as a job of its own."""
        names = ("kind", "argv", "title", "device", "resume", "grace", "cwd")
        return start(**{name: self.asked[name] for name in names}, clone_of=self.id)

    def remove(self) -> None:
        """Delete its folder: log, checkpoints, what it made there. JobError unless it is over."""
        now = self.state()
        if not now.over:
            raise JobError(f"Job {self.id} is {now.name}; stop it before you remove it.")
        discard(self.folder)


@dataclass(frozen=True)
class DamagedJob:
    """A job's folder that says nothing usable of its job; it can only be removed."""

    folder: Path
    reason: str

    @property
    def id(self) -> str:
        """Its name, everywhere."""
        return self.folder.name

    def remove(self) -> None:
        """Delete its folder. JobError if a process still works in it."""
        discard(self.folder)


def discard(folder: Path) -> None:
    """Delete a job's folder, unless its lock says that a process of it lives whatever else does."""
    with suppress(FileNotFoundError), (folder / "lock").open("rb") as lock:
        if not take(lock):
            raise JobError(f"Job {folder.name} is still at work; stop it before you remove it.")
    atomic.discard(folder)


def root() -> Path:
    """Where jobs are kept: $MEMVIZ_HOME/jobs."""
    return home() / "jobs"


def verb(*words: object) -> list[str]:
    """The command of a verb of memviz, for `start`."""
    return [sys.executable, "-u", "-m", "memviz", *map(str, words)]


def shown(argv: Sequence[str]) -> str:
    """A command as a person would type it."""
    ours = argv[1:4] == ["-u", "-m", "memviz"]
    return shlex.join(["python", *argv[2:]] if ours else argv)


def start(
    kind: str,
    argv: Sequence[str],
    title: str = "",
    device: str = "cpu",
    resume: Sequence[str] = (),
    grace: float = GRACE,
    cwd: str | None = None,
    clone_of: str | None = None,
) -> Job:
    """Begin a command in the background, queued behind the jobs of its device.

    `resume`: words added to `argv` when it is resumed. `grace`: seconds it may take to stop by
    itself. Raises OSError if the folder cannot be written.
    """
    folder = root() / new_id()
    asked = {
        "kind": kind,
        "title": title or kind,
        "argv": list(argv),
        "device": device,
        "resume": list(resume),
        "grace": grace,
        "cwd": cwd or os.getcwd(),
        "clone_of": clone_of,
        "created": time.time(),
        "version": memviz.__version__,
    }
    folder.mkdir(parents=True)
    atomic.json(folder / "job.json", asked)
    return launch(Job(folder, asked))


def launch(job: Job) -> Job:
    """Start a process of its own session that sees the job through; wait until it has begun."""
    with (job.folder / "log.txt").open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "memviz.jobs", str(job.folder)],
            **{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log},
            **{"start_new_session": True, "cwd": job.folder, "env": environment()},
        )
    Thread(target=supervisor.wait, daemon=True).start()  # reaps it: a zombie would look alive
    while supervisor.returncode is None and not begun(job, supervisor.pid):
        time.sleep(0.01)
    return job


def environment() -> dict[str, str]:
    """What a process of ours sees wherever it starts: this code, and none of a Space's keys."""
    code = Path(memviz.__file__).parent.parent
    paths = os.pathsep.join(filter(None, [str(code), os.environ.get("PYTHONPATH")]))
    hidden = (OWNER, *(SECRET if os.environ.get("SPACE_ID") else ()))
    return {k: v for k, v in os.environ.items() if k not in hidden} | {"PYTHONPATH": paths}


def begun(job: Job, pid: int) -> bool:
    """Whether this process has taken the job over, and the record of an earlier attempt is gone."""
    known = read_if_whole(job.folder / "process.json", PROCESS) or {}
    return known.get("pid") == pid and not (job.folder / "outcome.json").exists()


def find(job_id: str) -> Job:
    """The job of this id. Raises JobError if the id is malformed or no such job is kept."""
    found = find_any(job_id)
    if isinstance(found, DamagedJob):
        raise JobError(f"{found.reason} Remove it: `python -m memviz jobs remove {job_id}`.")
    return found


def find_any(job_id: str) -> Job | DamagedJob:
    """The same, or what is left of it. Raises JobError if there is nothing of this id."""
    if not ID.fullmatch(job_id or ""):
        raise JobError(
            f"{job_id!r} is not a job id; one looks like 20260102-030405-0123456789abcdef."
        )
    if not (root() / job_id).exists():
        raise JobError(f"No job {job_id} is kept in {root()}. List jobs: `python -m memviz jobs`.")
    return read_folder(root() / job_id)


def read_folder(folder: Path) -> Job | DamagedJob:
    """The job in a folder, or why there is none."""
    try:
        return Job(folder, read_json(folder / "job.json", REQUEST))
    except FileNotFoundError:
        return DamagedJob(folder, f"{folder} holds no job.json.")
    except (DamagedFile, OSError) as error:  # OSError: the folder itself is a file
        return DamagedJob(folder, str(error))


def entries() -> list[Job | DamagedJob]:
    """Everything that is kept under a job's name, newest first."""
    folders = (path for path in list_folder(root()) if ID.fullmatch(path.name))
    return [read_folder(folder) for folder in sorted(folders, reverse=True)]


def list_folder(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where there is none."""
    try:
        return [*folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def listing() -> list[Job]:
    """All readable jobs, newest first."""
    jobs = [job for job in entries() if isinstance(job, Job)]
    return sorted(jobs, key=lambda job: job.asked["created"], reverse=True)


def damaged() -> list[DamagedJob]:
    """The folders of jobs that cannot be read, newest first."""
    return [job for job in entries() if isinstance(job, DamagedJob)]
