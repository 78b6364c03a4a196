"""A thousand command lines that nobody should type: each ends soon, in a sentence or a result."""

import os
import tempfile
import time
from pathlib import Path
from random import Random

import pytest

from memviz import jobs
from memviz.cli import VERBS, parser
from tests.support import sandbox, world
from tests.support.command_line import call

CALLS = 1_000
LEFT_OUT = {"app", "reproduce", "demo-report", "demo-sheet", "remedies"}  # they serve, or take long
NUMBERS = ["0", "1", "2", "-1", "1000000", "1e9", "nan", "inf", "0.5", "9" * 30, "0x10", "½", "１"]
LISTS = ["0", "0,1", "0-3", "0:2e8:1", "0:1e300:1e-300", "5-1", "1,,2", ",", "0-", "a", "1:2:0",
         "9" * 50, "-5", "0-999999999", "all", "1;2"]  # fmt: skip
WORDS = ["", " ", "a fox", "x" * 20_000, "\0", "🦊", "--", "-x", "../..", "/etc/passwd",
         "~nobody", "owner/name", "demo+/etc", "{job}", "%s", "$(date)", "http://[",
         "\ud800"]  # fmt: skip
METHODS = ["cfg", "stp:at=500", "cfg:scale=nan", "dtp:latest=-1", "magic", "cfg,cfg",
           "stp:at=1e9", "og:early=9e99", ":", "=", "cfg:", "cads:scale=2",
           "stp:at=500,at=600", "x=cfg"]  # fmt: skip


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A world to work in, with folders and files of every odd kind; jobs are not begun."""
    made = world.build(tmp_path / "world")
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(jobs.job, "launch", lambda job: job)
    monkeypatch.chdir(tmp_path)
    odd = tmp_path / "odd"
    (odd / "empty").mkdir(parents=True)
    (odd / "unreadable").mkdir()
    (odd / "unreadable/0.png").write_bytes(b"no picture")
    os.mkfifo(odd / "pipe")
    os.mkfifo(odd / "pipe.jsonl")
    (odd / "zero").symlink_to("/dev/zero")
    (odd / "loop").symlink_to(odd / "loop")
    for name, text in (("deep.json", "[" * 100_000), ("list.json", "[1, null, {}]"),
                       ("p.txt", "a fox\n"),
                       ("p.csv", "prompt,label\na fox,odd\n"), ("rows.jsonl", "3\n[]\n"),
                       ("half.json", '{"memorized": ["\\ud800"]}'), ("empty.txt", "")):  # fmt: skip
        (odd / name).write_text(text)
    (odd / "p.parquet").write_bytes(b"PAR1PAR1")
    return made, [
        str(p) for p in [*sorted(odd.iterdir()), made.corpus, made.model, made.descriptor]
    ]


def value_for(action, rng: Random, files: list[str]) -> str:
    """Something to give an option: of its choices, its type, or of anything."""
    if action.choices and rng.random() < 0.6:
        return str(rng.choice([*action.choices]))
    if action.type in (int, float) and rng.random() < 0.7:
        return rng.choice(NUMBERS)
    if "seed" in action.dest or action.dest in ("at", "early", "late", "images", "steps_used"):
        return rng.choice(LISTS)
    if "method" in action.dest:
        return rng.choice(METHODS)
    if action.type is Path or action.dest in (
        "corpus",
        "model",
        "descriptor",
        "pictures",
        "prompts",
    ):
        return rng.choice([*files, *files, *WORDS])
    return rng.choice([*WORDS, *NUMBERS, *files])


def line(rng: Random, made: world.World, files: list[str]) -> list[str]:
    """One command line; the tiny world stands in wherever it says nothing else."""
    name = rng.choice(sorted(VERBS.keys() - LEFT_OUT))
    known = options_of(name)
    words = [name]
    usual = {"model": made.model, "corpus": made.corpus, "descriptor": made.descriptor, "steps": 2,
             "prompt": "a fox", "out": "out", "methods": "cfg", "rounds": 1}  # fmt: skip
    for action in known:
        given = rng.random()
        if action.option_strings and action.dest in usual and given < 0.7:
            words += [action.option_strings[-1], str(usual[action.dest])]
        elif action.option_strings and given < 0.85:
            continue
        elif action.option_strings:
            takes = action.nargs != 0
            words += [
                action.option_strings[-1],
                *([value_for(action, rng, files)] if takes else []),
            ]
        elif action.nargs != "?" or given < 0.7:
            words.append(value_for(action, rng, files))
    if rng.random() < 0.05:
        words.insert(rng.randrange(len(words) + 1), rng.choice(WORDS))
    return words


def options_of(name: str):
    """What a verb takes, as argparse has it."""
    verbs = next(a for a in parser()._actions if a.choices and "compare" in a.choices)
    sub = verbs.choices[name]
    if sub.entry:
        sub.entry.load().options(sub)
        sub.entry = None
    return [
        action
        for action in sub._actions
        if action.dest not in ("help", "debug", "trust", "publish")
    ]


def test_no_command_line_ends_in_more_than_a_sentence(places, tmp_path):
    made, files = places
    rng, begun, faults = Random("command lines"), time.monotonic(), []
    count = sandbox.count(CALLS)
    with sandbox.confine(tmp_path):
        for _ in range(count):
            words = line(rng, made, files)
            faults += sandbox.attempt(words, lambda words=words: check(words))
    sandbox.report("command lines", count, faults, begun)


def check(words: list[str]) -> None:
    """Exit codes 0 and 2 alone: 70 is a defect."""
    told = call(*words)
    assert told.returncode in (0, 2), f"exit code {told.returncode}: {told.stderr[-3_000:]}"
    assert "Traceback" not in told.stderr, told.stderr[-3_000:]
