"""A data folder after kills and damage: listed, mended, cleaned, and nothing that lives touched."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from memviz import jobs, upkeep
from memviz.cli import main
from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.paths import demo
from memviz.io.process import identity
from memviz.runs import store
from memviz.runs.record import CellState

IDS = [f"20260102-03040{n}-0123456789abcdef" for n in range(6)]
GONE = 4_194_303  # a pid that no process has


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    return tmp_path


def keep_run(run_id, **changes):
    """A bundled run as one's own, with other entries in its record."""
    source = sorted((demo() / "runs").iterdir())[0]
    folder = store.root() / run_id
    shutil.copytree(source, folder)
    told = json.loads((folder / "run.json").read_text("utf-8"))
    atomic.json(folder / "run.json", told | {"id": run_id} | changes)
    return folder


def call(capsys, *words):
    """A verb's exit code and its JSON."""
    code = main([*words, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


def aged(path, days):
    then = time.time() - days * upkeep.DAY
    os.utime(path, (then, then))
    return path


def test_a_run_whose_process_is_gone_broke_off_everywhere(capsys):
    mine = identity(os.getpid())
    keep_run(IDS[0], state="running", process=mine)
    keep_run(IDS[1], state="running", process=mine | {"ticks": mine["ticks"] - 1})
    keep_run(IDS[2], state="running", process={"pid": "odd"})
    states = [store.read(run_id).record.state for run_id in IDS[:3]]
    assert states == [CellState.RUNNING, CellState.BROKEN, CellState.BROKEN]
    told = {run["id"]: run["state"] for run in call(capsys, "runs")[1]}
    assert [told[run_id] for run_id in IDS[:2]] == ["running", "broken off"]
    with pytest.raises(MemvizError, match="in progress"):
        store.own(IDS[0])
    assert main(["runs", "--remove", IDS[1]]) == 0 and not (store.root() / IDS[1]).exists()
    capsys.readouterr()
    code, mended = call(capsys, "doctor")
    assert code == 0 and [one["state"] for one in mended] == ["mended"]
    assert store.read(IDS[2]).record.state is CellState.STOPPED
    assert store.read(IDS[0]).record.state is CellState.RUNNING
    assert call(capsys, "doctor")[1] == []


DAMAGE = [
    "",
    "{",
    "[]",
    "[" * 50_000,
    '{"cells": 3}',
    '{"cells": [], "schema": 99}',
    "pipe",
    "folder",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_run_is_listed_with_its_reason_and_hides_no_other(damage, capsys):
    keep_run(IDS[0])
    folder = keep_run(IDS[1])
    (folder / "run.json").unlink()
    if damage == "pipe":
        os.mkfifo(folder / "run.json")
    elif damage == "folder":
        (folder / "run.json").mkdir()
    else:
        (folder / "run.json").write_text(damage)
    told = {run["id"]: run for run in call(capsys, "runs")[1]}
    assert told[IDS[0]]["state"] == "done" and told[IDS[1]]["state"] == "damaged"
    assert "run.json" in told[IDS[1]]["title"]
    assert call(capsys, "doctor")[1][0]["state"] == "listed" and folder.exists()
    assert call(capsys, "doctor", "--remove")[1][0]["state"] == "mended" and not folder.exists()
    assert [run.folder.name for run in store.listed()] == [IDS[0]]


def test_a_damaged_run_can_be_removed_by_its_name(capsys):
    folder = keep_run(IDS[0])
    (folder / "run.json").write_text("{")
    assert call(capsys, "runs", "--remove", IDS[0])[1][0]["where"] == "removed"
    assert not folder.exists()


def test_leftovers_of_ended_processes_go_and_those_of_living_ones_stay(home, capsys):
    run = keep_run(IDS[0])
    gone = [
        run / f"run.json.{GONE}.part",
        home / f"config.json.{GONE}.part",
        aged_folder(home / "runs" / f".{IDS[1]}.part", 0),
        aged_folder(home / "indexes" / "some.part", 2),
    ]
    stay = [run / f"trace.parquet.{os.getpid()}.part", home / "indexes" / "new.part"]
    for path in (*gone, *stay):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("half")
    assert {one["path"] for one in call(capsys, "doctor", "--dry-run")[1]} == set(map(str, gone))
    assert all(path.exists() for path in gone)
    call(capsys, "doctor")
    assert not any(path.exists() for path in gone) and all(path.exists() for path in stay)


def aged_folder(path: Path, days):
    path.mkdir(parents=True)
    (path / "file").write_text("x")
    return aged(path, days)


def test_damaged_indexes_and_searches_and_names_are_told(home, capsys):
    (home / "indexes/broken").mkdir(parents=True)
    aged_folder(home / "searches" / IDS[0], 2)
    (home / "config.json").write_text('{"models": {"a b": "x"}}')
    told = call(capsys, "doctor")[1]
    assert len(told) == 3 and all(one["state"] == "listed" for one in told)
    assert (
        "manifest.json" in str(told) and "summary.json" in str(told) and "config.json" in str(told)
    )


def test_cleaning_goes_by_age_and_size_and_spares_stars_and_what_runs(capsys):
    folders = [keep_run(run_id) for run_id in IDS[:4]]
    keep_run(IDS[4], state="running", process=identity(os.getpid()))
    assert main(["runs", "--star", IDS[0]]) == 0
    for days, folder in zip((400, 300, 200, 10), folders, strict=True):
        aged(folder, days)
    aged(store.root() / IDS[4], 500)
    capsys.readouterr()
    would = [one["id"] for one in call(capsys, "clean", "--dry-run")[1]]
    assert would == IDS[1:3] and all(folder.exists() for folder in folders)
    assert [one["id"] for one in call(capsys, "clean", "--days", "250")[1]] == [IDS[1]]
    size = upkeep.list_entries()[0].bytes / 1e9
    assert [one["id"] for one in call(capsys, "clean", "--gb", f"{1.5 * size}")[1]] == [IDS[2]]
    assert {run.folder.name for run in store.listed()} == {IDS[0], IDS[3], IDS[4]}
    assert len([*store.bundled()]) == 5
    assert main(["clean", "--days", "-1"]) == 2 and main(["clean", "--gb", "nan"]) == 2


def test_evaluations_are_cleaned_as_a_whole_but_not_while_a_job_writes_into_them(home, capsys):
    folders = [aged_folder(home / "evaluations" / name, 100) for name in IDS[:2]]
    aged_folder(home / "thumbs" / IDS[0], 100)
    waiting = ["sh", "-c", "sleep 60", "sh", "--out", str(folders[1])]  # sleep knows no --out
    held = jobs.start("evaluate", waiting, device="")
    try:
        found = {(entry.kind, entry.folder.name) for entry in upkeep.list_entries()}
        assert found == {("evaluation", IDS[0])}
    finally:
        for _ in range(2):  # asked a second time, it is killed at once
            held.stop()
