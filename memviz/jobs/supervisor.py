"""The process that sees one job through: waits its turn, runs the worker, writes how it ended.

It holds the job's own lock (so that nobody runs the same job twice) and the lock of the job's
device. The worker inherits both: should the supervisor be killed, they stay taken until the
worker is gone, too.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from memviz.io import atomic
from memviz.jobs.context import VARIABLE
from memviz.jobs.files import read_json, reserve, write_reserved
from memviz.jobs.job import DamagedJob, Job, read_folder
from memviz.jobs.process import PROCESS, alive, identity, signal_group, take
from memviz.jobs.state import read_outcome, stop_asked

PAUSE = 0.1  # seconds between two looks at the worker, the stop file and the queue
INSIST = 10.0  # seconds from SIGTERM to SIGKILL
FULL = 2**20  # bytes: a disk with less room than this is full
ASKED = (0, 130, 143, -signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)  # exits of one told to stop
OLD = ("result.json", "worker.json", "stop", "outcome.json")  # of an earlier attempt


@dataclass
class Supervisor:
    """One attempt at a job."""

    job: Job
    lock: BinaryIO
    resumed: bool = False
    leaving: bool = False  # told so by a signal, as when the machine goes down

    def file(self, name: str) -> Path:
        """A file of the job."""
        return self.job.folder / name

    def run(self) -> None:
        """From the queue to the record of the end."""
        begin = time.time()
        try:
            with self.turn() as device:
                end = self.work(device) if device else {"state": "stopped"}
        except OSError as error:
            end = {"state": "failed", "error": f"It could not be run: {error}."}
        end |= {"ended": time.time(), "seconds": time.time() - begin}
        write_reserved(self.file("outcome.part"), self.file("outcome.json"), end)

    def stopping(self) -> bool:
        """Whether someone wants it to end."""
        if self.leaving:
            self.file("stop").touch(exist_ok=True)
            self.leaving = False  # once: the file keeps the time of the wish
        return self.file("stop").exists()

    @contextmanager
    def turn(self) -> Iterator[BinaryIO | None]:
        """Wait for the device and hold it; None if the job was stopped in the queue."""
        device = self.job.asked["device"]
        if not device:
            yield self.lock
            return
        queue = self.job.folder.parent / f"queue-{device}"
        queue.mkdir(exist_ok=True)
        with (queue / "lock").open("ab") as lock, ticket(queue) as mine:
            while not self.stopping():
                if first(queue) == mine and take(lock):
                    mine.unlink()
                    yield lock
                    return
                time.sleep(PAUSE)
            yield None

    def work(self, device: BinaryIO) -> dict[str, Any]:
        """Run the worker to its end; how it ended."""
        worker = subprocess.Popen(
            self.job.command + (self.job.asked["resume"] if self.resumed else []),
            stdin=subprocess.DEVNULL,
            cwd=self.job.asked["cwd"],
            env=os.environ | {VARIABLE: str(self.job.folder)},
            pass_fds={self.lock.fileno(), device.fileno()},
            start_new_session=True,  # a group of its own, which signals reach without us
        )
        try:
            self.watch(worker)
        except BaseException:
            os.killpg(worker.pid, signal.SIGKILL)  # never left running without a record
            raise
        return self.verdict(worker.returncode)

    def watch(self, worker: subprocess.Popen) -> None:
        """Until it ends: see that a wish to stop is heard."""
        known, sent = identity(worker.pid), set()
        atomic.json(self.file("worker.json"), known)
        while worker.poll() is None:
            number = self.due()
            if number and number not in sent:
                sent.add(number)
                signal_group(known, number)
            time.sleep(PAUSE)

    def due(self) -> signal.Signals | None:
        """The signal for a worker that has not heard the wish to stop: SIGTERM, then SIGKILL."""
        asked = stop_asked(self.job.folder) if self.stopping() else None
        late = time.time() - asked - self.job.asked["grace"] if asked else 0.0
        if late <= 0:
            return None
        return signal.SIGKILL if late > INSIST else signal.SIGTERM

    def verdict(self, code: int) -> dict[str, Any]:
        """Done if it said so or nobody stopped it; a failure stays one whoever wished it away."""
        stopped = self.stopping()
        if code == 0 and (self.file("result.json").exists() or not stopped):
            return {"state": "done", "exit": code}
        if stopped and code in ASKED:
            return {"state": "stopped", "exit": code}
        full = shutil.disk_usage(self.job.folder).free < FULL
        why = {"error": f"The disk of {self.job.folder} is full; make room."} if full else {}
        return {"state": "failed", "exit": code, **why}


@contextmanager
def ticket(queue: Path) -> Iterator[Path]:
    """A place in a queue: a file named by the time, which says who stands there."""
    mine = queue / f"{time.time_ns()}.json"
    atomic.json(mine, identity(os.getpid()))
    try:
        yield mine
    finally:
        mine.unlink(missing_ok=True)


def first(queue: Path) -> Path | None:
    """The oldest ticket whose holder lives."""
    tickets = (path for path in queue.glob("*.json") if path.stem.isdecimal())
    ordered = sorted(tickets, key=lambda path: int(path.stem))
    return next((path for path in ordered if alive(read_json(path, PROCESS))), None)


def supervise(folder: Path) -> None:
    """See the job in a folder through, unless another process does or it is done."""
    with (folder / "lock").open("ab") as lock:
        job, outcome = read_folder(folder), read_outcome(folder)
        over = outcome is not None and outcome["state"] == "done"
        if not take(lock) or over or isinstance(job, DamagedJob):
            return
        resumed = (folder / "process.json").exists()
        supervisor = Supervisor(job, lock, resumed)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(supervisor, "leaving", True))
        reserve(folder / "outcome.part")
        atomic.json(folder / "process.json", identity(os.getpid()))
        for name in OLD:  # the outcome last: until then the job is what it was
            (folder / name).unlink(missing_ok=True)
        supervisor.run()
