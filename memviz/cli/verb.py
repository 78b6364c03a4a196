"""What a verb of the command line is, and how it speaks on stderr."""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


def no_options(sub: argparse.ArgumentParser) -> None:
    """Nothing beyond --json."""


@dataclass(frozen=True)
class Verb:
    """A line of the help: what it does, its options, and its result as text."""

    about: str
    run: Callable[[argparse.Namespace], Any]
    table: Callable[[Any], str]
    options: Callable[[argparse.ArgumentParser], None] = no_options


def complain(sentence: str, code: int) -> int:
    """A mistake, in one line on stderr."""
    print(" ".join(sentence.split()), file=sys.stderr)
    return code


def watched(progress: Iterable[Any], steps: int) -> Iterable[Any]:
    """The same, with a bar on stderr."""
    from tqdm import tqdm

    pause = 0.1 if sys.stderr.isatty() else 5.0  # seconds: a log file wants few lines
    with tqdm(total=steps, unit="step", file=sys.stderr, mininterval=pause) as bar:
        for step in progress:
            bar.total = step.steps
            bar.update(step.step - bar.n)
            yield step
