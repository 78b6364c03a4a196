"""A full disk is one sentence with the space needed, whichever library found it full."""

import errno
import resource

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from memviz.io import disk
from memviz.io.disk import DiskFull, guard_disk


def save_tensors(file):
    import torch
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(2**18)}, file)


def save_state(file):
    import torch

    torch.save({"x": torch.zeros(2**18)}, file)


WRITERS = {
    "bytes": lambda file: file.write_bytes(bytes(2**20)),
    "array": lambda file: np.save(file, np.zeros(2**18)),
    "picture": lambda file: Image.effect_noise((600, 600), 50).save(file, "png"),
    "table": lambda file: pq.write_table(pa.table({"x": np.random.rand(2**17)}), file),
    "tensors": save_tensors,
    "state": save_state,
}


@pytest.mark.parametrize("writer", [*WRITERS])
@pytest.mark.parametrize("room", [1, 1000, 50_000])
def test_every_library_that_finds_the_disk_full_is_understood(tmp_path, writer, room):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with (
            pytest.raises(DiskFull, match=r"about 1\.0 MB are needed"),
            guard_disk(tmp_path, 2**20),
        ):
            WRITERS[writer](tmp_path / "file.npy")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_work_that_cannot_fit_is_refused_before_it_begins(tmp_path):
    with pytest.raises(DiskFull, match="free"), guard_disk(tmp_path / "new", 2**62):
        raise AssertionError("it began")


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), guard_disk(tmp_path, 0):
        raise PermissionError(errno.EACCES, "no")


def test_the_bytes_used_are_those_on_the_disk(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(bytes(100_000))
    assert 100_000 <= disk.used_bytes(tmp_path) < 150_000
