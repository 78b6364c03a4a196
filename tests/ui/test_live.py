"""Comparisons of visitors: one each, in a line, and none for somebody who left."""

import threading

import pytest

from memviz.errors import InputError
from memviz.ui.shared import access, live
from memviz.ui.shared.live import Live

STEP = {"id": "x"}


class Work:
    """Work that waits for leave before each step, and notes that it was closed."""

    def __init__(self) -> None:
        self.leave, self.closed = threading.Semaphore(0), threading.Event()

    def __call__(self):
        try:
            while True:
                self.leave.acquire()
                yield STEP
        finally:
            self.closed.set()


def start(room, work, visitor, monkeypatch):
    monkeypatch.setattr(access, "current_visitor", lambda: visitor)
    return room.start(work, lambda progress: progress)


def test_a_visitor_makes_one_comparison_at_a_time_and_sees_the_place_in_line(monkeypatch):
    room, first, second = Live(), Work(), Work()
    one = start(room, first, "ann", monkeypatch)
    with pytest.raises(InputError, match="You have a comparison under way"):
        start(room, Work(), "ann", monkeypatch)
    two = start(room, second, "bob", monkeypatch)
    assert room.line(one) == "" and room.line(two).startswith("Place 2 in line: about 1 min")
    owner = [start(room, Work(), "", monkeypatch) for _ in range(2)]  # as many as they like
    for ticket in (one, two, *owner):
        room.stop(ticket.token)
    first.leave.release(), second.leave.release()
    room.pool.shutdown()
    assert all(ticket.done for ticket in (one, two, *owner)) and not room.tickets


def test_one_that_waits_is_stopped_at_once(monkeypatch):
    room, first, second = Live(), Work(), Work()
    one = start(room, first, "", monkeypatch)
    first.leave.release()
    next(one.watch())  # it has begun
    two = start(room, second, "", monkeypatch)
    assert room.stop(two.token) and two.done and [*two.watch()] == []
    room.stop(one.token)
    first.leave.release()
    room.pool.shutdown()
    assert not second.closed.is_set() and two.run_id is None


def test_the_line_has_an_end(monkeypatch):
    room, work = Live(), Work()
    tickets = [start(room, work, f"visitor {n}", monkeypatch) for n in range(live.LINE)]
    with pytest.raises(InputError, match="wait here already"):
        start(room, work, "one more", monkeypatch)
    for ticket in tickets:
        room.stop(ticket.token)
    work.leave.release()
    room.pool.shutdown()


def test_the_work_of_a_visitor_who_left_ends_after_a_while_and_that_of_the_owner_goes_on(
    monkeypatch,
):
    room, work, mine = Live(), Work(), Work()
    ticket = start(room, work, "ann", monkeypatch)
    seen = ticket.watch()
    work.leave.release()
    assert next(seen) == STEP and not ticket.abandoned
    monkeypatch.setattr(live, "GRACE", 0.0)
    seen.close()  # the page was closed
    assert ticket.abandoned
    work.leave.release()
    assert work.closed.wait(60)
    owner = start(room, mine, "", monkeypatch)
    mine.leave.release()
    assert next(owner.watch()) == STEP and not owner.abandoned
    room.stop(owner.token)
    mine.leave.release()
    room.pool.shutdown()
