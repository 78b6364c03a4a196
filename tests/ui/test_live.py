"""Comparisons of visitors: one each, in a line, and none for somebody who left."""

import threading

import gradio as gr
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


def test_one_that_waits_is_told_its_place_as_the_line_goes_on(monkeypatch):
    room, works = Live(), [Work() for _ in range(3)]
    tickets = [start(room, work, "", monkeypatch) for work in works]
    works[0].leave.release()
    next(tickets[0].watch())  # it has begun
    seen = tickets[2].watch()
    assert next(seen)["waiting"].startswith("Place 3 in line")
    room.stop(tickets[1].token)
    assert next(seen)["waiting"].startswith("Place 2 in line")
    assert [one.token for one in room.others(tickets[2].token)] == [tickets[0].token]
    room.stop(tickets[0].token)
    works[0].leave.release(), works[2].leave.release()
    assert next(seen) == STEP
    room.stop(tickets[2].token)
    works[2].leave.release()
    room.pool.shutdown()
    assert [*room.ended] == [tickets[n].token for n in (1, 0, 2)]
    assert room.ended[tickets[2].token].run_id == "x"


def test_a_page_shows_the_comparison_that_was_asked_for_last(monkeypatch):
    from memviz.ui.compare import tab

    monkeypatch.setattr(tab, "saved", lambda run: {"id": run, "live": False})
    monkeypatch.setattr(tab.store, "read", lambda run_id: run_id)
    room, first, second = Live(), Work(), Work()
    one, two = (start(room, work, "", monkeypatch) for work in (first, second))
    first.leave.release()
    old, new = tab.follow(room, one, "page"), tab.follow(room, two, "page")
    view = next(old)[0]
    assert view["token"] == one.token
    assert view["line"][0]["words"].startswith("Place 2 in line: about 1 min")
    assert next(new)[0]["token"] == two.token
    room.stop(one.token)
    first.leave.release()
    assert all(value == gr.skip() for update in old for value in update)
    second.leave.release()
    assert next(new)[0]["id"] == "x"
    room.stop(two.token)
    second.leave.release()
    assert [update[0] for update in new] == [{"id": "x", "live": False, "line": []}]
    room.pool.shutdown()
