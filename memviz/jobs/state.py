"""What a job is doing, derived anew from its folder and the machine's processes each time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memviz.io.read import Shape
from memviz.jobs.files import read_json, tail
from memviz.jobs.process import PROCESS, alive

OVER = ("done", "stopped", "failed", "lost")
STARTING = 30.0  # seconds a new job may take until its process is known
LAST = 40  # lines of log kept with a failure
ENDS = ("done", "stopped", "failed")  # of an outcome
OUTCOME: Shape = {"state": str, "exit?": (int, None), "error?": str, "ended?": float}


@dataclass(frozen=True)
class State:
    """A job at one moment. Times are seconds since the epoch."""

    name: str  # queued, running, stopping, done, stopped, failed or lost
    words: str  # the same as a sentence for people
    since: float | None = None  # when this state began
    step: int | None = None  # of the last checkpoint
    exit: int | None = None  # of a process that ended; negative: the signal
    lines: tuple[str, ...] = ()  # the end of the log of a failed or lost job

    @property
    def over(self) -> bool:
        """Whether nothing runs or will run any more."""
        return self.name in OVER

    @property
    def resumable(self) -> bool:
        """Whether it ended before its work did."""
        return self.name in ("stopped", "failed", "lost")


def state(folder: Path) -> State:
    """The state of the job in a folder."""
    step = (read_json(folder / "checkpoint.json", {"step": int}) or {}).get("step")
    worker = read_json(folder / "worker.json", PROCESS)
    supervisor = read_json(folder / "process.json", PROCESS)
    if alive(worker) or alive(supervisor):
        return under_way(folder, step, worker)
    outcome = read_outcome(folder)  # after the processes: it may just have ended
    if outcome:
        return ended(folder, step, outcome)
    if (result := folder / "result.json").is_file():  # it came to its end, and nobody noted it
        return State("done", "Done.", result.stat().st_mtime, step)
    begun = (read_json(folder / "job.json", {"created": float}) or {}).get("created", 0.0)
    if supervisor is None and time.time() - begun < STARTING:
        return State("queued", "Starting.", begun)
    words = f"It ended without a record (killed, or the machine went down). {way_on(step)}"
    return State("lost", words, None, step, None, tuple(tail(folder / "log.txt", LAST)))


def read_outcome(folder: Path) -> dict[str, Any] | None:
    """How a job ended, where that was written down."""
    found = read_json(folder / "outcome.json", OUTCOME)
    return found if found and found["state"] in ENDS else None


def under_way(folder: Path, step: int | None, worker: dict[str, Any] | None) -> State:
    """A job whose process lives."""
    outcome = read_outcome(folder)
    if outcome:  # the process is about to leave
        return ended(folder, step, outcome)
    asked = stop_asked(folder)
    if asked:
        waited = max(0.0, time.time() - asked)
        words = f"Stopping for {waited:.0f} s; it may finish its step and save a checkpoint."
        return State("stopping", words, asked, step)
    if worker is None:
        since = (read_json(folder / "process.json", PROCESS) or {}).get("started")
        return State("queued", "Waiting for the jobs before it.", since, step)
    return State("running", "Running.", worker.get("started"), step)


def stop_asked(folder: Path) -> float | None:
    """When someone wanted the job to end. An empty file: it can be made on a full disk, too."""
    try:
        return (folder / "stop").stat().st_mtime
    except FileNotFoundError:
        return None


def ended(folder: Path, step: int | None, outcome: dict[str, Any]) -> State:
    """A job that left a record."""
    name, code = outcome["state"], outcome.get("exit")
    lines = tuple(tail(folder / "log.txt", LAST)) if name == "failed" else ()
    words = {
        "done": "Done.",
        "stopped": f"Stopped. {way_on(step)}",
        "failed": f"{outcome.get('error') or how(code)} {way_on(step)}",
    }[name]
    return State(name, words, outcome.get("ended"), step, code, lines)


def how(code: int | None) -> str:
    """An exit code in words."""
    if code == -9:
        return "It was killed (signal 9), often because memory ran out."
    return f"It was ended by signal {-code}." if code and code < 0 else f"It failed (exit {code})."


def way_on(step: int | None) -> str:
    """What can be done next."""
    return "Start it again." if step is None else f"Resume from step {step:,}."
