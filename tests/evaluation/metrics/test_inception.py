"""FID's network from a file of the published kind with random weights, and what it is fed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from memviz.errors import InputError
from memviz.evaluation.metrics import inception
from memviz.io.hashing import file_hash
from tests.support.samples import smooth


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights saved as the published ones are."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save(inception.Inception().state_dict(), file)
    return file


def test_the_file_has_the_size_of_the_published_one(weights: Path) -> None:
    assert weights.stat().st_size == pytest.approx(inception.BYTES, rel=0.002)


def test_features_do_not_depend_on_the_batch(weights: Path) -> None:
    network = inception.load_inception(weights, file_hash(weights))
    images = [smooth(0), smooth(1, (40, 70))]
    together = inception.features(network, images, "fid")
    alone = np.concatenate([inception.features(network, [image], "fid") for image in images])
    assert together.shape == (2, inception.DIMS)
    assert np.allclose(together, alone, atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0


def test_only_a_known_file_is_read(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(inception.InceptionError, match="wanted 6726825d"):
        inception.load_inception(weights)
    with pytest.raises(inception.InceptionError, match=r"Apache-2\.0.*Download it from https"):
        inception.load_inception(tmp_path / "none.pth")
    other = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, other)
    with pytest.raises(inception.InceptionError, match="does not hold FID's Inception"):
        inception.load_inception(other, file_hash(other))


def test_a_file_that_would_run_code_is_not_run(tmp_path: Path) -> None:
    ran, file = tmp_path / "ran", tmp_path / "bad.pth"

    class Bad:
        def __reduce__(self):
            return (ran.touch, ())

    torch.save(Bad(), file)
    with pytest.raises(inception.InceptionError):
        inception.load_inception(file, file_hash(file))
    assert not ran.exists()


def test_padding_does_not_count_in_the_mean() -> None:
    assert torch.equal(inception.mean_pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_tensorflows_resize_is_that_of_its_formula() -> None:
    x = torch.rand(2, 5, 7)
    found = inception.resize_as_tensorflow(x, 9)
    for y, column in ((0, 0), (4, 8), (8, 3)):
        down, across = y * 5 / 9, column * 7 / 9
        top, left = int(down), int(across)
        below, right = min(top + 1, 4), min(left + 1, 6)
        upper = x[:, top, left] + (x[:, top, right] - x[:, top, left]) * (across - left)
        lower = x[:, below, left] + (x[:, below, right] - x[:, below, left]) * (across - left)
        assert torch.allclose(found[:, y, column], upper + (lower - upper) * (down - top))


def test_each_way_of_feeding_has_its_own_range() -> None:
    white, black = Image.new("RGB", (64, 48), "white"), Image.new("RGB", (64, 48))
    for way, high, low in (
        ("fid", 127 / 128, -1),
        ("fid-clean", 127 / 128, -1),
        ("fid-dcr", 1, -3),
    ):
        assert inception.prepare(white, way) == pytest.approx(high)
        assert inception.prepare(black, way) == pytest.approx(low)
        assert inception.prepare(white, way).shape == (3, 299, 299)
    with pytest.raises(InputError, match="fid, fid-clean, fid-dcr"):
        inception.prepare(white, "other")


def test_the_clean_resize_agrees_with_torchs_where_it_enlarges() -> None:
    x = inception.pixels(smooth(2))
    other = interpolate(x[None], (299, 299), mode="bicubic", antialias=True)[0].clamp(0, 255)
    assert (inception.resize_clean(x, 299) - other).abs().max() < 0.5
