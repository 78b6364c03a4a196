"""Calls that must end soon, in a sentence, and write nowhere else; what does not is a `Fault`."""

import faulthandler
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from memviz.errors import MemvizError

SHARE = float(os.environ.get("MEMVIZ_FUZZ", "0.01"))  # of what `make fuzz` does
LONGEST = 30.0  # seconds: what takes longer counts as a hang
ROOM = 3 * 2**30  # bytes of addresses that a call may take
WRITES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate")
_allowed: tuple[str, ...] = ()
_outside: list[str] = []


class Hang(BaseException):
    """A call took too long."""


@dataclass(frozen=True)
class Fault:
    """What went wrong, and with what."""

    case: object
    kind: str  # traceback, hang or file outside
    told: str


def count(whole: int) -> int:
    """How many of these are made now: all by `make fuzz`, else a sample."""
    return max(1, round(whole * SHARE))


def attempt(case: object, call: Callable[[], object]) -> Iterator[Fault]:
    """Call it; nothing if it returned or raised a sentence, else the faults."""
    _outside.clear()
    try:
        with limits():
            call()
    except MemvizError as error:
        if not str(error).strip():
            yield Fault(case, "traceback", "an error without words")
    except Hang:
        yield Fault(case, "hang", f"{LONGEST:g} s")
    except Exception:
        yield Fault(case, "traceback", traceback.format_exc(limit=-6))
    for place in _outside:
        yield Fault(case, "file outside", place)


@contextmanager
def limits() -> Iterator[None]:
    """So much time and memory, and no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    old = signal.signal(signal.SIGALRM, ring)
    resource.setrlimit(resource.RLIMIT_AS, (now + ROOM, before[1]))
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    faulthandler.dump_traceback_later(3 * LONGEST, exit=True)  # a library that hears no signal
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, before)


def ring(number: int, frame: object) -> None:
    """Time is up."""
    raise Hang


@contextmanager
def confine(*places: Path) -> Iterator[None]:
    """What Python writes outside of these places meanwhile is a fault."""
    global _allowed
    watch()
    _allowed = tuple(str(place.resolve()) for place in places)
    try:
        yield
    finally:
        _allowed = ()


def watch(hooked: list[bool] = []) -> None:  # noqa: B006 - kept on purpose: a hook stays for good
    """Hear of every file that Python opens to write, makes, moves or removes."""
    if not hooked:
        sys.addaudithook(hear)
        hooked.append(True)


def hear(event: str, args: tuple) -> None:
    """Note a file outside."""
    if not _allowed:
        return
    if event == "open":
        path, mode, flags = args
        writes = set(mode or "") & set("wax+") or (flags or 0) & (os.O_WRONLY | os.O_RDWR)
        found = [path] if writes else []
    elif event not in WRITES or -1 not in args[-2:]:  # below an open folder that was judged
        return
    else:
        found = args[:2]
    for path in found:
        if isinstance(path, str | bytes | os.PathLike):
            place = os.path.abspath(os.fsdecode(path))
            if not place.startswith((*_allowed, "/dev/null")):
                _outside.append(f"{event} {place}")


def report(name: str, made: int, faults: list[Fault], begun: float) -> None:
    """Print the counts that docs/security.md gives, then fail where there is a fault."""
    seconds = time.monotonic() - begun
    kinds = ("traceback", "hang", "file outside")
    counts = ", ".join(f"{sum(f.kind == kind for f in faults)} {kind}s" for kind in kinds)
    print(f"\n{name}: {made:,} cases, {counts}, {seconds:.0f} s")
    shown = "\n\n".join(f"{f.kind} with {str(f.case)[:300]}\n{f.told}" for f in faults[:40])
    assert not faults, f"{name}: {len(faults)} faults of {made:,}\n{shown}"
