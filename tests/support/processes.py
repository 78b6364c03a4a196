"""Waiting for other processes, and ending them."""

import os
import signal
import time

import psutil

from memviz import jobs
from memviz.jobs import files, process


def until(true, seconds=60):
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
    return found


def pid(job, name="worker"):
    return files.read_json(job.folder / f"{name}.json")["pid"]


def kill(number):
    os.kill(number, signal.SIGKILL)
    until(lambda: gone(number))


def gone(number):
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end_all():
    """Kill what any job of this data directory began."""
    for job in jobs.listing():
        for name in ("process.json", "worker.json"):
            known = files.read_json(job.folder / name, process.PROCESS)
            process.signal_group(known, signal.SIGKILL)
