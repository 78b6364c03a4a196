"""A job as others see it: started, found, read, stopped and resumed through its folder."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import memviz
from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.ids import ID, new_id
from memviz.io.paths import home
from memviz.jobs.files import json_lines, read_json, tail
from memviz.jobs.process import alive, signal_group
from memviz.jobs.state import State, state

GRACE = 30.0  # seconds from the wish to stop to SIGTERM
SECRET = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OAUTH_CLIENT_SECRET")  # of a Space, not of a job


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
        return read_json(self.folder / "result.json")

    def stop(self) -> State:
        """Ask it to leave at its next step; what does not within `grace` seconds is ended.

        Asked a second time, it is killed at once. Raises JobError if it is over.
        """
        now = self.state()
        if now.over:
            raise JobError(f"Job {self.id} is {now.name}; only one under way can be stopped.")
        worker = read_json(self.folder / "worker.json")
        if now.name == "stopping":
            signal_group(worker, signal.SIGKILL)
        else:
            (self.folder / "stop").touch()
        if not alive(read_json(self.folder / "process.json")):  # nobody is left to insist
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
        same = {k: v for k, v in self.asked.items() if k not in ("created", "version")}
        return start(**(same | {"clone_of": self.id}))

    def remove(self) -> None:
        """Delete its folder: log, checkpoints, what it made there. JobError unless it is over."""
        now = self.state()
        if not now.over:
            raise JobError(f"Job {self.id} is {now.name}; stop it before you remove it.")
        atomic.discard(self.folder)


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
    hidden = SECRET if os.environ.get("SPACE_ID") else ()
    return {k: v for k, v in os.environ.items() if k not in hidden} | {"PYTHONPATH": paths}


def begun(job: Job, pid: int) -> bool:
    """Whether this process has taken the job over, and the record of an earlier attempt is gone."""
    known = read_json(job.folder / "process.json") or {}
    return known.get("pid") == pid and not (job.folder / "outcome.json").exists()


def find(job_id: str) -> Job:
    """The job of this id. Raises JobError if the id is malformed or no such job is kept."""
    if not ID.fullmatch(job_id or ""):
        raise JobError(
            f"{job_id!r} is not a job id; one looks like 20260102-030405-0123456789abcdef."
        )
    asked = read_json(root() / job_id / "job.json")
    if asked is None:
        raise JobError(f"No job {job_id} is kept in {root()}. List jobs: `python -m memviz jobs`.")
    return Job(root() / job_id, asked)


def listing() -> list[Job]:
    """All readable jobs, newest first."""
    found = [(folder, read_json(folder / "job.json")) for folder in root().glob("*-*")]
    jobs = [Job(folder, asked) for folder, asked in found if asked and ID.fullmatch(folder.name)]
    return sorted(jobs, key=lambda job: job.asked.get("created", 0.0), reverse=True)
