"""What goes through a network at once: what fits, and less where memory ran out."""

from types import SimpleNamespace

import pytest
import torch

from memviz.models.chunks import Chunks, count_decoder_rows, count_unet_rows

PEAK = {"unet": 293, "vae": 1_729}  # MiB a row at 768 px in float32, counted for SD 2.1


def picky(most):
    def double(rows):
        if len(rows) > most:
            raise torch.OutOfMemoryError
        return rows * 2

    return double


def test_rows_are_split_where_memory_runs_out_and_stay_so():
    chunks, rows = Chunks(16), torch.arange(20)
    parts = [result for _, result in chunks.run(picky(5), rows)]
    assert torch.equal(torch.cat(parts), rows * 2)
    assert chunks.limit == 4 and max(map(len, parts)) == 4
    assert [len(r) for _, r in chunks.run(picky(5), rows, fit=3)] == [3] * 6 + [2]


def test_one_row_that_does_not_fit_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        list(Chunks().run(picky(0), torch.arange(4)))


def test_sixteen_cells_of_768_pixels_stay_below_six_gib():
    unet = SimpleNamespace(config=SimpleNamespace(block_out_channels=(320, 640, 1280, 1280)))
    vae = SimpleNamespace(config=SimpleNamespace(block_out_channels=(128, 256, 512, 512)))
    latents = torch.zeros(16, 4, 96, 96)
    rows = count_unet_rows(unet, latents, torch.float32)
    pictures = count_decoder_rows(vae, latents, 8)
    assert rows > 8 and rows * PEAK["unet"] < 6 * 1024
    assert pictures > 1 and pictures * PEAK["vae"] < 6 * 1024
    assert count_unet_rows(unet, latents, torch.float16) >= 2 * rows
