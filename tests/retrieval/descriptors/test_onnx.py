"""A TorchScript descriptor as ONNX: the same vectors, other files, one index."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, normalize, relu

from memviz.cli import main
from memviz.io.hashing import file_hash
from memviz.retrieval.descriptors import onnx_export, weights
from memviz.retrieval.descriptors.choice import choose_descriptor
from memviz.retrieval.descriptors.descriptor import PRESETS, descriptor, load_torchscript
from memviz.retrieval.descriptors.onnx_network import OnnxNetwork
from memviz.retrieval.descriptors.presets import DescriptorError, find
from tests.support.samples import smooth

NAME = "sscd_disc_mixup_320"


class Bottleneck(nn.Module):
    """ResNet-50's block."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = 4 * width
        self.body = nn.Sequential(
            *(nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            nn.Conv2d(width, width, 3, stride, 1, bias=False),
            *(nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)),
        )
        self.short = nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return relu(self.body(x) + self.short(x))


class SmallSscd(nn.Module):
    """The official files' class, narrow: bottlenecks, GeM pooling, projection, unit vectors.

    Scripted, not traced, so that the file has branches and a parameter as exponent.
    """

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()
        self.trunk = nn.Sequential(
            *stem,
            nn.MaxPool2d(3, 2, 1),
            *(Bottleneck(8, 4, 1), Bottleneck(16, 8, 2), Bottleneck(32, 8, 2)),
        )
        self.power = nn.Parameter(torch.tensor(3.0))
        self.projection = nn.Linear(32, 512)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.trunk(pixels)
        if x.dim() == 3:
            x = x.unsqueeze(0)
        x = adaptive_avg_pool2d(x.clamp(min=1e-6).pow(self.power), 1).pow(1 / self.power)
        return normalize(self.projection(x.flatten(1)), p=2.0, dim=1)


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TorchScript file where `fetch --trust` would have put it."""
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    file, net = tmp_path / "net.pt", SmallSscd()
    net(torch.randn(8, 3, 64, 64))  # statistics, as training would give it
    torch.jit.script(net.eval()).save(str(file))
    list(weights.fetch(PRESETS[NAME], str(file), trust=True))
    return weights.place(PRESETS[NAME])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(8):
        smooth(i, (80, 60)).save(folder / f"{i}.png")
    return folder


def test_an_exported_file_gives_the_vectors_of_the_original(fetched, photos, capsys):
    assert main(["export-descriptor", NAME, "--corpus", str(photos), "--pictures", "4"]) == 0
    assert "int8" in capsys.readouterr().out
    original, full = load_torchscript(PRESETS[NAME]), descriptor(NAME)
    assert isinstance(full.network, OnnxNetwork) and full.hash == original.hash
    images = [smooth(9, (64, 64)), smooth(10, (200, 90)), smooth(11, (64, 64))]
    assert np.abs(full.embed(images) - original.embed(images)).max() <= 1e-3
    small = descriptor(find(f"{NAME}:int8"))
    assert small.hash not in ("", original.hash) and small.preset.name == f"{NAME}:int8"
    assert (small.embed(images) * full.embed(images)).sum(1).min() > 0.95
    assert np.abs(small.embed(images) - full.embed(images)).max() > 0


def test_the_exported_file_is_enough(fetched, photos):
    from memviz.data import corpus as corpora

    original = load_torchscript(PRESETS[NAME])
    onnx_export.export_float(original.network, original.hash, weights.onnx_place(PRESETS[NAME]))
    fetched.unlink()
    assert choose_descriptor("auto", corpora.load(photos)).name == "sscd_disc_mixup"
    assert descriptor(NAME).hash == original.hash
    copy = fetched.with_name("mine.onnx")
    copy.write_bytes(weights.onnx_place(PRESETS[NAME]).read_bytes())
    assert descriptor(NAME, copy).hash == file_hash(copy)  # what it says of itself is not believed


def test_a_file_that_differs_is_not_kept(fetched, monkeypatch):
    original = load_torchscript(PRESETS[NAME])
    out = weights.onnx_place(PRESETS[NAME])
    monkeypatch.setattr(OnnxNetwork, "__call__", lambda self, pixels: -original.network(pixels))
    with pytest.raises(DescriptorError, match="differs from the original"):
        onnx_export.export_float(original.network, original.hash, out)
    assert not out.exists() and not [*out.parent.glob("*.part")]


def test_what_is_no_exported_file_is_said(fetched, tmp_path):
    broken = tmp_path / "x.onnx"
    broken.write_bytes(b"x")
    with pytest.raises(DescriptorError, match="is not an ONNX file"):
        descriptor(NAME, broken)
    with pytest.raises(DescriptorError, match=r"There is no .*int8\.onnx.*export-descriptor"):
        descriptor(find(f"{NAME}:int8"))
