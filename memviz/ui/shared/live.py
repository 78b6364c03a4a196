"""Comparisons in progress: a thread each, so a closed or reloaded tab loses nothing."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from statistics import fmean
from threading import Condition, Lock
from typing import Any, TypeVar

from memviz.errors import InputError
from memviz.ui.shared import access, zero_gpu

View = dict[str, Any]  # what `player.view` makes
T = TypeVar("T")  # the progress of some work
EVERY = 0.25  # seconds between two views sent to a browser
GRACE = 60.0  # seconds that the work of a visitor who left goes on
LINE = 12  # visitors' comparisons that may wait
ENDED = 200  # comparisons whose run is remembered
MACHINE = Lock()  # held by whatever computes: a model's attention is recorded for one at a time
USUAL = 60.0  # seconds of a comparison, until one was made


@dataclass
class Ticket:
    """One comparison: its newest view, and whether someone asked it to stop."""

    token: str = field(default_factory=lambda: secrets.token_hex(8))
    title: str = ""  # to tell it from others in line
    place: str = ""  # in line, in words; empty when it is its turn
    latest: View | None = None
    stopping: bool = False
    done: bool = False
    error: Exception | None = None
    shown: float = 0.0  # when the newest view was made
    visitor: str = ""  # whose it is on a public page; empty for the owner, and at home
    watchers: int = 0  # pages that look on
    left: float = field(default_factory=time.monotonic)  # when the last one went
    begun: float = 0.0  # when its work began; 0 while it waits in line
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
        """Each new view as it comes, of one in line its place; ends when the work ends."""
        seen, place = None, ""
        self.watchers += 1
        try:
            while not self.done:
                before, (seen, place) = seen, self._newer(seen, place)
                if self.done:
                    return
                if seen is not before and seen is not None:
                    yield seen
                elif seen is None and place:
                    yield {"waiting": place}
        finally:
            self.watchers, self.left = self.watchers - 1, time.monotonic()

    @property
    def abandoned(self) -> bool:
        """Whether its visitor went away and did not come back for a while."""
        alone = self.visitor and not self.watchers
        return bool(alone) and time.monotonic() - self.left > GRACE

    def _newer(self, seen: View | None, place: str) -> tuple[View | None, str]:
        """Wait for another view or place in line than these, or for the end."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.done or self.latest is not seen or self.place != place
            )
            return self.latest, self.place


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
        self.lock = Lock()
        self.prepared = False
        self.seconds: deque[float] = deque(maxlen=8)  # that the newest ones took
        self.ended: dict[str, Ticket] = {}  # the newest ones, by token
        self.followed: dict[str, str] = {}  # the token that each page shows, by session

    def start(
        self, work: Callable[[], Generator[T]], look: Callable[[T], View], title: str = ""
    ) -> Ticket:
        """Begin `work`, a generator of progress, as soon as the one before it has ended.

        `look` makes a view of a progress; it is called between two steps, so nothing moves then.
        """
        ticket = Ticket(visitor=access.current_visitor(), title=title)
        with self.lock:
            self._check(ticket.visitor)
            self.tickets[ticket.token] = ticket
        self._tell_places()
        self.pool.submit(copy_context().run, self._follow, ticket, *zero_gpu.lend(work, look))
        return ticket

    def _check(self, visitor: str) -> None:
        """Raise InputError if a visitor's turn is over for now."""
        if not visitor:
            return
        if any(ticket.visitor == visitor for ticket in self.tickets.values()):
            raise InputError("You have a comparison under way. Wait for its end, or stop it.")
        if len(self.tickets) >= LINE:
            raise InputError(f"{LINE} comparisons wait here already. Come back in some minutes.")

    def line(self, ticket: Ticket) -> str:
        """Its place in the line and how long that takes, in words; empty when it is its turn."""
        before = [*self.tickets].index(ticket.token) if ticket.token in self.tickets else 0
        if ticket.begun or not before:
            return ""
        each = fmean(self.seconds) if self.seconds else USUAL
        minutes = max(1, round(before * each / 60))
        return f"Place {before + 1} in line: about {minutes} min until it begins."

    def _tell_places(self) -> None:
        """Let whoever waits know how far on the line is."""
        for ticket in [*self.tickets.values()]:
            if not ticket.begun:
                ticket.note(place=self.line(ticket))

    def others(self, token: str) -> list[Ticket]:
        """What the same person has in line beside this one, in its order."""
        visitor = access.current_visitor()
        found = [*self.tickets.values()]
        return [one for one in found if one.visitor == visitor and one.token != token]

    def prepare(self, load: Callable[[], object]) -> None:
        """Load what a first comparison needs, once; one asked for meanwhile waits for it."""
        if not self.prepared:
            self.prepared = True
            self.pool.submit(load)

    def _follow(
        self, ticket: Ticket, work: Callable[[], Generator[T]], look: Callable[[T], View]
    ) -> None:
        ticket.note(begun=time.monotonic(), place="")
        self._tell_places()
        try:
            if ticket.stopping or ticket.abandoned:
                return
            with MACHINE, closing(work()) as steps:  # closing the generator is how it is stopped
                for progress in steps:
                    if ticket.stopping or ticket.abandoned:
                        break
                    show(ticket, progress, look)
        except Exception as error:  # handed to whoever watches, who makes a sentence of it
            ticket.error = error
        finally:
            if ticket.latest:
                self.seconds.append(time.monotonic() - ticket.begun)
            self._end(ticket)
            ticket.note(done=True)
            self._tell_places()

    def _end(self, ticket: Ticket) -> None:
        """Take a ticket out of the line, and remember it for pages that slept meanwhile."""
        self.tickets.pop(ticket.token, None)
        ticket.latest = {"id": ticket.run_id} if ticket.run_id else None  # the rest takes room
        self.ended[ticket.token] = ticket
        for token in [*self.ended][:-ENDED]:
            self.ended.pop(token, None)

    def stop(self, token: str | None) -> bool:
        """Ask a comparison to end after its present step; False when it already has."""
        ticket = self.tickets.get(token or "")
        if ticket and not ticket.begun:  # it waits in line: nothing of it is there to end
            self._end(ticket)
            ticket.note(stopping=True, done=True)
            self._tell_places()
        elif ticket:
            ticket.note(stopping=True)
        return ticket is not None

    def find(self, run_id: str) -> Ticket | None:
        """The comparison that is writing this run."""
        return next((t for t in [*self.tickets.values()] if t.run_id == run_id), None)
