"""What a verb of the command line is, and how it speaks on stderr."""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm


def no_options(sub: argparse.ArgumentParser) -> None:
    """Nothing beyond --json."""


@dataclass(frozen=True)
class Verb:
    """What it does, its result as text, and its options."""

    run: Callable[[argparse.Namespace], Any]
    table: Callable[[Any], str]
    options: Callable[[argparse.ArgumentParser], None] = no_options


class Terminated(KeyboardInterrupt):
    """SIGTERM: heard as Ctrl-C is, so that what is being made is noted as stopped."""


def hear_sigterm() -> None:
    """Raise Terminated on SIGTERM from here on."""
    import signal

    def terminate(number: int, frame: object) -> NoReturn:
        raise Terminated

    signal.signal(signal.SIGTERM, terminate)


def say(text: str) -> None:
    """What happens, on stderr and at once."""
    print(text, file=sys.stderr, flush=True)


def complain(sentence: str, code: int) -> int:
    """A mistake, in one line on stderr."""
    say(" ".join(sentence.split()))
    return code


def bar(total: int, unit: str) -> "tqdm":
    """How far it is, on stderr."""
    from tqdm import tqdm

    pause = 0.1 if sys.stderr.isatty() else 5.0  # seconds: a log file wants few lines
    return tqdm(total=total, unit=unit, file=sys.stderr, mininterval=pause)


def watched(progress: Iterable[Any], steps: int) -> Iterable[Any]:
    """The same, with a bar on stderr."""
    with bar(steps, "step") as shown:
        for step in progress:
            shown.total = step.steps
            shown.update(step.step - shown.n)
            yield step
