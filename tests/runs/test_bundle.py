"""A run as one zip file: whole when it is opened, or refused with nothing left behind."""

import json
import zipfile

import pytest

from memviz.errors import MemvizError
from memviz.runs import bundle, store
from tests.support import fixture_run
from tests.support.records import run_record


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A bundle, made in one home and seen from another that is empty."""
    folder = fixture_run.make(tmp_path / "theirs" / "runs", steps=3)
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / "0.png").touch()
    file = bundle.pack_run(store.open_folder(folder), tmp_path / "run.zip")
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    return file


def change(file, edit):
    """The zip file written anew: `edit` may change its entries, contents by name."""
    with zipfile.ZipFile(file) as whole:
        entries = {name: whole.read(name) for name in whole.namelist()}
    edit(entries)
    with zipfile.ZipFile(file, "w") as whole:
        for name, data in entries.items():
            whole.writestr(name, data)


def name_of(entries, end):
    return next(name for name in entries if name.endswith(end))


def test_a_bundle_brings_the_run_whole(packed, tmp_path):
    run = bundle.unpack_run(packed)
    theirs = store.open_folder(tmp_path / "theirs" / "runs" / run.record.id)
    assert run.folder == store.root() / run.record.id == store.read(run.record.id).folder
    assert run.record == theirs.record.model_copy(update={"process": None})
    assert run.table().equals(theirs.table())
    assert bundle.hash_files(run) == bundle.hash_files(theirs)
    assert not (run.folder / "unfinished").exists()


def test_opened_again_it_is_the_run_that_is_there(packed):
    first = bundle.unpack_run(packed)
    (first.folder / "starred").touch()
    assert bundle.unpack_run(packed).folder == first.folder and (first.folder / "starred").exists()
    (first.folder / "images" / "0.png").write_bytes(b"other")
    with pytest.raises(MemvizError, match="Another run"):
        bundle.unpack_run(packed)


def damage(entries):
    name = name_of(entries, "images/0.png")
    entries[name] = entries[name][:-1] + b"x"


def leave_out(entries):
    del entries[name_of(entries, "images/0.png")]


def climb(entries):
    about = name_of(entries, bundle.HASHES)
    run_id = about.partition("/")[0]
    entries[f"{run_id}/images/../../../evil"] = b"x"
    told = json.loads(entries[about])
    told["files"]["images/../../../evil"] = "0"
    entries[about] = json.dumps(told).encode()


def add_strange(entries):
    entries["readme.txt"] = b"hello"


def forget_hashes(entries):
    del entries[name_of(entries, bundle.HASHES)]


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (damage, "images/0.png in this bundle is damaged"),
        (leave_out, "no bundle of a run"),
        (climb, "no part of a run"),
        (add_strange, "no bundle of a run"),
        (forget_hashes, "no bundle of a run"),
    ],
)
def test_what_is_not_whole_is_refused_and_leaves_nothing(packed, tmp_path, edit, sentence):
    change(packed, edit)
    with pytest.raises(MemvizError, match=sentence):
        bundle.unpack_run(packed)
    assert not list((tmp_path / "home").rglob("*.png")) and not list(tmp_path.glob("evil*"))


@pytest.mark.parametrize("data", [b"", b"no zip file", b"PK\3\4" + bytes(60)])
def test_what_is_no_zip_file_gets_a_sentence(tmp_path, data):
    file = tmp_path / "x.zip"
    file.write_bytes(data)
    with pytest.raises(MemvizError, match="cannot be read as a zip file"):
        bundle.unpack_run(file)


def test_a_run_in_progress_is_not_bundled(tmp_path):
    run = store.create(tmp_path / "run", run_record(state="running"))
    with pytest.raises(MemvizError, match="in progress"):
        bundle.pack_run(run, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()
