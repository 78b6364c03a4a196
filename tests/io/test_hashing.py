"""Hashes that are read once."""

from pathlib import Path

import pytest

from memviz.io import hashing


def test_a_file_is_read_again_only_when_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"one")
    first, reads = hashing.file_hash(file), hashing._file_hash.cache_info().misses
    assert hashing.file_hash(file) == first
    assert hashing._file_hash.cache_info().misses == reads
    file.write_bytes(b"other")
    assert hashing.file_hash(file) != first


def test_large_files_are_remembered_on_disk(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "REMEMBER", 1)
    (tmp_path / "large").write_bytes(b"large")
    first = hashing.file_hash(tmp_path / "large")
    hashing._file_hash.cache_clear()
    monkeypatch.setattr(hashing, "_read", lambda path: pytest.fail("read twice"))
    assert hashing.file_hash(tmp_path / "large") == first
