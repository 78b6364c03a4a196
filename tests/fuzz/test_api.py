"""Two thousand requests to the running app, public and at home: answers, and no defect of ours."""

import logging
import tempfile
import time
from random import Random

import pytest

from memviz import jobs
from memviz.ui.shared.gate import folders
from tests.support import sandbox
from tests.support.stranger import Stranger, served

REQUESTS = 1_000  # to each of the two pages
ODD = [None, True, -1, 0, 1e9, 10**30, "", " ", "\0", "x" * 30_000, "🦊", "../..", "/etc/passwd",
       "~nobody", "owner/name", "0:2e8:1", "cfg:scale=nan", "stp:at=1e9", [], {}, [None], [[]],
       ["a", 1], {"path": "/etc/passwd"}, {"path": None}, {"a": {"b": []}}, "1" * 500,
       "20260102-030405-0123456789abcdef"]  # fmt: skip
# what would work for minutes with the values that the page offers; with odd ones they are asked
LONG = ("compare", "detect", "look", "start", "plan", "evaluate", "sweep", "rerun")


@pytest.fixture(params=["1", "0"], ids=["public", "at home"])
def page(request, tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("MEMVIZ_HOME", str(home))
    monkeypatch.setenv("MEMVIZ_PUBLIC", request.param)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(jobs.job, "launch", lambda job: job)
    folders.cache_clear()
    with served() as url:
        yield Stranger(url), request.param == "1"
    folders.cache_clear()


def damage_values(values: list, rng: Random) -> list:
    """The page's own values with some replaced, one too many or one too few."""
    found = list(values)
    for _ in range(rng.choice([1, 1, 2, 4])):
        if found:
            found[rng.randrange(len(found))] = rng.choice(ODD)
    if rng.random() < 0.05:
        found = found[:-1] if rng.random() < 0.5 else [*found, None]
    return found


def test_no_request_meets_a_defect(page, caplog):
    stranger, public = page
    rng, begun, faults = Random("requests"), time.monotonic(), []
    handlers, made = list(stranger.handlers()), sandbox.count(REQUESTS)
    with caplog.at_level(logging.ERROR):
        for _ in range(made):
            handler = rng.choice(handlers)
            sent = damage_values(stranger.usual(handler), rng)
            event = rng.choice([None, None, {}, {"x": [1]}, [], 3, "a", {"index": -1}])
            case = (handler["api_name"], sent, event)
            caplog.clear()
            told = ask(stranger, handler, sent, event)
            logged = [r for r in caplog.records if r.exc_info]
            if told is None:
                faults.append(sandbox.Fault(case, "hang", "no answer"))
            elif logged:
                faults.append(sandbox.Fault(case, "traceback", caplog.text[-1_500:]))
            elif not told["success"] and not (told["output"].get("error") or "").strip():
                faults.append(sandbox.Fault(case, "traceback", "a blank error"))
            elif public and folders().search(str(told)):
                faults.append(sandbox.Fault(case, "file outside", str(told)[:300]))
    sandbox.report(f"requests, {'public' if public else 'at home'}", made, faults, begun)


def ask(stranger: Stranger, handler: dict, sent: list, event: object) -> dict | None:
    """The answer; None if there is none in time."""
    try:
        return stranger.post(handler, sent, event)
    except TimeoutError:
        return None
