"""Files that somebody else may have written: each kind of damage is one sentence, and no wait."""

import os
from pathlib import Path

import pytest

from memviz.io import user_config
from memviz.io.read import DamagedFile, find_mismatch, read_bytes, read_json

SHAPE = {"name": str, "count": int, "share?": (float, None), "of": [{"id": int}]}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"name": "x", "count": 1, "of": []}, ""),
        ({"name": "x", "count": 1, "share": 1, "of": [{"id": 3, "more": 4}]}, ""),
        ({"name": "x", "count": 1, "share": None, "of": []}, ""),
        ([], "it is a list, wanted an object"),
        ({"count": 1, "of": []}, "it has no 'name'"),
        ({"name": 5, "count": 1, "of": []}, "name is 5, wanted a text"),
        ({"name": "x", "count": True, "of": []}, "count is true, wanted a whole number"),
        ({"name": "x", "count": 1.5, "of": []}, "count is 1.5, wanted a whole number"),
        ({"name": "x", "count": 1, "share": "y", "of": []}, 'share is "y", wanted a number'),
        ({"name": "x", "count": 1, "of": [{"id": 1}, {"id": "a"}]},
         'of[1].id is "a", wanted a whole number'),
    ],
)  # fmt: skip
def test_a_value_of_another_shape_is_told_by_its_place(value, said):
    assert find_mismatch(value, SHAPE) == said


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe\x00", "it is no text"),
        (b"[" * 100_000, "nested too deep"),
        (b"[1]", "it is a list, wanted an object"),
    ],
)
def test_what_is_no_json_of_a_shape_says_why(tmp_path: Path, content, why):
    file = tmp_path / "some.json"
    file.write_bytes(content)
    with pytest.raises(DamagedFile, match=why):
        read_json(file, {})


def test_pipes_devices_folders_and_giants_are_never_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(DamagedFile, match="cannot be read"):
            read_bytes(place)
    with (tmp_path / "giant").open("wb") as file:
        file.truncate(2**40)  # sparse
    with pytest.raises(DamagedFile, match="at most"):
        read_bytes(tmp_path / "giant")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nothing")
    with pytest.raises(DamagedFile):
        read_bytes(Path("a\0b"))


def test_a_damaged_entry_of_the_registry_hides_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path))
    assert user_config.find_problems() == []
    user_config.file().write_text(
        '{"models": {"good": "a", "no place": "b", "empty": "", "typed": 3, "far": "~nobody9/x"},'
        ' "corpora": ["a"]}'
    )
    assert user_config.names("models") == {"good": "a"} and user_config.names("corpora") == {}
    told = user_config.find_problems()
    assert len(told) == 5 and all(str(user_config.file()) in line for line in told)
    user_config.file().write_text("[")
    assert "cannot be read" in user_config.find_problems()[0]
