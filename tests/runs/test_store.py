"""Run folders: ids that cannot escape, nothing half written, no stranger that breaks a list."""

import json
from pathlib import Path

import pytest

from memviz.io import atomic
from memviz.io.ids import ID, new_id
from memviz.runs import store, trace
from memviz.runs.store import RunError
from tests.support.records import run_record

OLD, NEW = "20260101-000000-0123456789abcdef", "20260102-000000-0123456789abcdef"


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A home of its own, and no bundled runs."""
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEMVIZ_DEMO", str(tmp_path))
    (tmp_path / "home" / "runs").mkdir(parents=True)
    return tmp_path / "home" / "runs"


def make(place, run_id=OLD, **info):
    return store.create(place / run_id, run_record(id=run_id, **info))


def test_a_run_is_made_and_read(root):
    make(root, title="ein Fuchs \u00fc\U0001f98a")
    run = store.read(OLD)
    assert run.folder == root / OLD and run.record.title == "ein Fuchs \u00fc\U0001f98a"
    assert {p.name for p in run.folder.iterdir()} == {"run.json", "images", "steps", "matches"}
    assert run.table().num_rows == 0


def test_new_ids_are_valid_and_never_the_same():
    made = {new_id() for _ in range(100)}
    assert len(made) == 100 and all(ID.fullmatch(i) for i in made)


@pytest.mark.parametrize(
    "run_id",
    [
        "",
        None,
        ".",
        "..",
        "../secret",
        f"../runs/{OLD}",
        f"{OLD}/../../secret",
        f"{OLD}/",
        f"/{OLD}",
        f"{OLD}\n",
        f"{OLD}\0",
        f" {OLD}",
        OLD.upper(),
        OLD[:-1],
        f"{OLD}0",
        "٢٠٢٦٠١٠١-000000-0123456789abcdef",  # digits, but not these digits
        "*-*",
        "%2e%2e%2fsecret",
        "C:\\secret",
    ],
)
def test_ids_that_could_escape_are_refused(root, run_id):
    make(root)
    (root.parent / "secret").mkdir()
    (root.parent / "secret" / "run.json").write_text("{}")
    with pytest.raises(RunError, match="is not a run id"):
        store.read(run_id)


def test_a_run_that_is_not_kept_gets_a_sentence():
    with pytest.raises(RunError, match=f"No run {OLD} is kept"):
        store.read(OLD)


def test_a_folder_without_run_json_is_no_run(root):
    (root / OLD).mkdir()
    with pytest.raises(RunError, match="No run"):
        store.read(OLD)
    assert store.listed() == []


@pytest.mark.parametrize("text", [b"", b"{", b'{"id": ', b"\xff\xfe\x00", b"null", b"[]", b"3"])
def test_half_written_or_foreign_files_are_refused_and_not_listed(root, text):
    make(root, NEW)
    make(root, OLD)
    (root / OLD / "run.json").write_bytes(text)
    with pytest.raises(RunError, match=r"no readable run\.json"):
        store.read(OLD)
    assert [r.record.id for r in store.listed()] == [NEW]


def test_writing_replaces_the_file_whole(root, monkeypatch):
    run = make(root)
    with monkeypatch.context() as broken, pytest.raises(OSError, match="disk full"):
        broken.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        store.write(store.Run(run.folder, run_record(title="half")))
    assert store.read(OLD).record == run.record

    done = store.write(store.Run(run.folder, run_record(id=OLD, state="stopped")))
    assert store.read(OLD).record.state == done.record.state == "stopped"
    assert not list(run.folder.glob("*.part"))


def test_a_left_over_part_changes_nothing(root):
    run = make(root)
    (run.folder / "run.json.part").write_text("{")
    assert store.read(OLD).record == run.record


def test_the_trace_of_a_run_in_progress_is_written_with_it(root):
    run = make(root)
    row = {"cell": 0, "step": 0, "t": 999, "magnitude": 1.0, "magnitude_mean": 1.0, "scale": 7.5}
    table = trace.pa.Table.from_pylist([row], schema=trace.SCHEMA)
    store.write(store.Run(run.folder, run.record, table))
    assert store.read(OLD).table().equals(table)


def test_runs_are_listed_newest_first_and_strangers_left_out(root):
    make(root, OLD)
    make(root, NEW)
    (root / "my-notes").mkdir()
    (root / "stray-file").write_text("")
    assert [r.record.id for r in store.listed()] == [NEW, OLD]


def test_no_runs_at_all(root):
    root.rmdir()
    assert store.listed() == [] and store.bundled() == []


def test_bundled_runs_are_found_after_ones_own(root, tmp_path):
    make(tmp_path / "runs", OLD, title="bundled")
    assert store.read(OLD).record.title == "bundled"
    assert [r.record.id for r in store.bundled()] == [OLD]
    make(root, OLD, title="mine")
    assert store.read(OLD).record.title == "mine"


def test_a_run_can_be_opened_wherever_it_lies(tmp_path):
    make(tmp_path, "anywhere")
    assert store.open_folder(tmp_path / "anywhere").record.id == "anywhere"
    with pytest.raises(RunError):
        store.open_folder(tmp_path / "nowhere")


def test_run_json_is_readable_json(root):
    run = make(root)
    assert json.loads((run.folder / "run.json").read_text()) == run.record.to_json()


def test_a_removed_run_is_gone_with_all_its_files(root):
    make(root), make(root, NEW)
    (root / OLD / "images" / "0.png").write_bytes(b"12345")
    run = store.own(OLD)
    assert run.size() == 5 + (root / OLD / "run.json").stat().st_size
    atomic.discard(run.folder)
    assert [r.record.id for r in store.listed()] == [NEW] and [*root.iterdir()] == [root / NEW]


def test_bundled_runs_and_those_in_progress_are_not_removed(root, tmp_path):
    make(tmp_path / "runs"), make(root, NEW, state="running")
    with pytest.raises(RunError, match="comes with memviz"):
        store.own(OLD)
    with pytest.raises(RunError, match=r"in progress\. Stop it first"):
        store.own(NEW)
    with pytest.raises(RunError, match="No run"):
        store.own(NEW.replace("2026", "2027"))
