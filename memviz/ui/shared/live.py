"""Comparisons in progress: a thread each, so a closed or reloaded tab loses nothing."""

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, TypeVar

View = dict[str, Any]  # what `player.view` makes
T = TypeVar("T")  # the progress of some work
EVERY = 0.25  # seconds between two views sent to a browser


@dataclass
class Ticket:
    """One comparison: its newest view, and whether someone asked it to stop."""

    token: str = field(default_factory=lambda: secrets.token_hex(8))
    latest: View | None = None
    stopping: bool = False
    done: bool = False
    error: Exception | None = None
    shown: float = 0.0  # when the newest view was made
    changed: Condition = field(default_factory=Condition)

    @property
    def run_id(self) -> str | None:
        """The run being written, once there is one."""
        return self.latest["id"] if self.latest else None

    def note(self, **changes: object) -> None:
        """Set fields and wake whoever watches."""
        with self.changed:
            for name, value in changes.items():
                setattr(self, name, value)
            self.changed.notify_all()

    def watch(self) -> Iterator[View]:
        """Each new view as it comes; ends when the work ends."""
        seen = None
        while not self.done:
            newest = self._newer(seen)
            if newest is not seen:
                yield newest
            seen = newest

    def _newer(self, seen: View | None) -> View | None:
        """Wait for a view other than `seen`, or for the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.done or self.latest is not seen)
            return self.latest


def show(ticket: Ticket, progress: T, look: Callable[[T], View]) -> None:
    """Make a view of this progress, unless the one before is very young."""
    if time.monotonic() - ticket.shown >= EVERY:
        ticket.note(latest=look(progress))
        ticket.shown = time.monotonic()


class Live:
    """Runs one comparison at a time and knows those under way."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compare")
        self.tickets: dict[str, Ticket] = {}
        self.prepared = False

    def start(self, work: Callable[[], Iterator[T]], look: Callable[[T], View]) -> Ticket:
        """Begin `work`, a generator of progress, as soon as the one before it has ended.

        `look` makes a view of a progress; it is called between two steps, so nothing moves then.
        """
        ticket = Ticket()
        self.tickets[ticket.token] = ticket
        self.pool.submit(self._follow, ticket, work, look)
        return ticket

    def prepare(self, load: Callable[[], object]) -> None:
        """Load what a first comparison needs, once; one asked for meanwhile waits for it."""
        if not self.prepared:
            self.prepared = True
            self.pool.submit(load)

    def _follow(
        self, ticket: Ticket, work: Callable[[], Iterator[T]], look: Callable[[T], View]
    ) -> None:
        try:
            with closing(work()) as steps:  # closing the generator is how it is stopped
                for progress in steps:
                    if ticket.stopping:
                        break
                    show(ticket, progress, look)
        except Exception as error:  # handed to whoever watches, who makes a sentence of it
            ticket.error = error
        finally:
            self.tickets.pop(ticket.token, None)
            ticket.note(done=True)

    def stop(self, token: str | None) -> bool:
        """Ask a comparison to end after its present step; False when it already has."""
        ticket = self.tickets.get(token or "")
        if ticket:
            ticket.note(stopping=True)
        return ticket is not None

    def find(self, run_id: str) -> Ticket | None:
        """The comparison that is writing this run."""
        return next((t for t in [*self.tickets.values()] if t.run_id == run_id), None)
