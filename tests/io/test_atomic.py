"""Files and folders are put in place whole, or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest

from memviz.io import atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_replaces_the_old_one_and_makes_its_folder(tmp_path):
    file = tmp_path / "new" / "a.txt"
    for value in ("one", "zwölf"):
        atomic.text(file, value)
        assert file.read_text("utf-8") == value and names(file.parent) == ["a.txt"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "a.json"
    atomic.text(file, "old")
    with atomic.written(file) as part:
        part.write_text("ne")
        assert file.read_text() == "old"
        assert part.parent == tmp_path and str(os.getpid()) in part.name
        assert not [*tmp_path.glob("*.json")][1:], "a search for JSON finds what is half written"


@pytest.mark.parametrize("old", [["a.txt"], []])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_part(tmp_path, old, error):
    for name in old:
        atomic.text(tmp_path / name, "old")
    with pytest.raises(error), atomic.written(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise error
    assert names(tmp_path) == old and all((tmp_path / n).read_text() == "old" for n in old)


def test_a_value_that_json_cannot_say_leaves_the_old_file(tmp_path):
    atomic.json(tmp_path / "a.json", {"ä": 1})
    with pytest.raises(TypeError):
        atomic.json(tmp_path / "a.json", {"broken": object()})
    assert names(tmp_path) == ["a.json"]
    assert (tmp_path / "a.json").read_text("utf-8") == '{\n "ä": 1\n}\n'


def test_an_array_is_read_back(tmp_path):
    rows = np.arange(6, dtype=np.float16).reshape(2, 3)
    atomic.array(tmp_path / "rows.npy", rows)
    assert names(tmp_path) == ["rows.npy"]
    assert np.array_equal(np.load(tmp_path / "rows.npy", mmap_mode="r"), rows)


def fill(folder: Path, *files: str) -> None:
    with atomic.folder(folder) as part:
        for name in files:
            (part / name).touch()


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    place = tmp_path / "new" / "v1.5"
    for files in (["a", "b"], ["b", "c"]):
        fill(place, *files)
        assert names(place) == files and names(place.parent) == ["v1.5"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_folder_and_nothing_beside_it(tmp_path, error):
    fill(tmp_path / "model", "old")
    with pytest.raises(error), atomic.folder(tmp_path / "model") as part:
        (part / "half").touch()
        raise error
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["old"]


def test_what_a_killed_process_left_is_not_taken_up(tmp_path):
    for left in ("model.part", "model.old"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "stray").touch()
    fill(tmp_path / "model", "new")
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["new"]


def test_a_kill_between_the_two_moves_is_mended(tmp_path):
    fill(tmp_path / "model", "old")
    (tmp_path / "model").rename(tmp_path / "model.old")
    atomic.restore(tmp_path / "model")
    assert names(tmp_path) == ["model"] and names(tmp_path / "model") == ["old"]
    fill(tmp_path / "model.old", "older")
    atomic.restore(tmp_path / "model")
    assert names(tmp_path / "model") == ["old"], "the folder that is there wins"
