"""Background processes as folders: they outlive the tab, the app and the terminal that began them.

Any command can be a job. Outside it:

    job = start("train", verb("train", "--out", "{job}/model"), title="My fox", device="cuda")
    job.state()               State: queued, running, stopping, done, stopped, failed or lost
    rows, offset = job.metrics(offset)      what it measured since that byte
    job.log_tail(40)          the last lines it printed
    job.stop(), job.resume(), job.clone(), job.remove()
    find(job.id), listing()   from any process that sees the same $MEMVIZ_HOME
    damaged()                 folders that cannot be read as jobs, with the reason

Inside it (everything below does nothing when the process is no job):

    here = Workplace.from_env()
    here.metric(step=step, loss=loss)       one JSON line
    if here.stopping(): …                   leave within the job's `grace`
    here.checkpoint(step)                   from here it can be resumed
    here.result(model=str(folder))          it came to its end; what it made

Needs POSIX, and no torch; may import `io` and `errors`.

In `argv`, `{job}` stands for the job's folder, so that a clone writes
elsewhere. Jobs of one `device` run one after the other, in the order they came; `device=""` waits
for none. A folder holds `job.json` (what was asked), `log.txt`, `metrics.jsonl`, and, as they
come, `process.json` and `worker.json` (pid and start), `checkpoint.json`, `stop`,
`result.json` and `outcome.json`.
"""

from memviz.jobs.context import JobContext
from memviz.jobs.job import (
    DamagedJob,
    Job,
    JobError,
    damaged,
    environment,
    find,
    find_any,
    listing,
    root,
    shown,
    start,
    verb,
)
from memviz.jobs.state import State

__all__ = [
    "DamagedJob",
    "Job",
    "JobContext",
    "JobError",
    "State",
    "damaged",
    "environment",
    "find",
    "find_any",
    "listing",
    "root",
    "shown",
    "start",
    "verb",
]
