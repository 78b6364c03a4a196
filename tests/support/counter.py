"""A job that counts: `python counter.py STEPS [--resume] [--deaf] [--wait]`; says each step."""

import signal
import sys
import time

from memviz.jobs import JobContext

words = sys.argv[1:]
here = JobContext.from_env()
begin = 0
if "--resume" in words:
    begin = int((here.folder / "saved").read_text())
if "--deaf" in words:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for step in range(begin, int(words[0])):
    here.metric(step=step, loss=1 / (1 + step))
    print("step", step, flush=True)
    (here.folder / "saved").write_text(str(step + 1))
    here.checkpoint(step + 1)
    while "--wait" in words and not (here.folder / "go").exists() and not here.stopping():
        time.sleep(0.01)
    if here.stopping() and "--deaf" not in words:
        sys.exit()
    while "--deaf" in words:
        time.sleep(0.01)
here.result(counted=int(words[0]))
