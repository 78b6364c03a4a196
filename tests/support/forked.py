"""Real processes of `memviz` that need not import torch again: forks of a server that has it.

Importing torch, diffusers and transformers costs seven seconds of a core; a fork is as good to be
killed, to run out of disk and to be resumed.
"""

import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection

import torch

from memviz.cli import main

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.heavy"])


class Forked:
    """A verb in a process of its own, with its stderr to read, as of `subprocess.Popen`."""

    def __init__(self, words: Sequence[str], env: Mapping[str, str], fsize: int = 0) -> None:
        reader, writer = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(target=run, args=(words, dict(env), fsize, writer))
        self.process.start()
        writer.close()
        self.stderr = os.fdopen(os.dup(reader.fileno()), encoding="utf-8")

    def send_signal(self, number: int) -> None:
        """Any signal."""
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """As `kill -9` does."""
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        self.process.join()
        return self.process.exitcode


def run(words: Sequence[str], env: dict[str, str], fsize: int, stderr: Connection) -> None:
    """Be that process."""
    os.dup2(stderr.fileno(), 2)
    os.environ.update(env)
    sys.argv[1:] = words
    torch.set_num_threads(1)
    if fsize:  # bytes that a file may have
        resource.setrlimit(resource.RLIMIT_FSIZE, (fsize, fsize))
    sys.exit(main())
