"""`memviz` in this process: an interpreter that imports torch costs seconds."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from memviz.cli import main


@dataclass(frozen=True)
class Told:
    """Named as in `subprocess.CompletedProcess`."""

    returncode: int
    stdout: str
    stderr: str


def call(*words: object, home: Path | None = None) -> Told:
    """Run a verb; what it printed, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        if home:
            patch.setenv("MEMVIZ_HOME", str(home))
        try:
            code = main([*map(str, words)])
        except SystemExit as end:
            code = end.code
    return Told(code, out.getvalue(), err.getvalue())
