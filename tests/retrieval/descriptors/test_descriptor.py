"""Preprocessing and descriptors against Pillow, numpy and their own saved form."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from transformers import ResNetConfig, ResNetModel

from memviz.io.hashing import file_hash
from memviz.retrieval.descriptors import embedder, presets, weights
from memviz.retrieval.descriptors.descriptor import PRESETS, Descriptor, DescriptorError, descriptor
from memviz.retrieval.descriptors.preprocess import Preprocess
from tests.support.samples import as_tensor, preset, smooth

# preprocessing


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("sscd_disc_mixup", (640, 480), (384, 288)),
        ("sscd_disc_mixup", (480, 641), (288, 384)),
        ("sscd_disc_mixup_320", (640, 480), (320, 320)),
        ("sscd_disc_large", (640, 480), (224, 224)),
        ("sscd_disc_large", (300, 300), (224, 224)),
    ],
)
def test_presets_resize_and_crop_as_their_papers(
    name: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    found = PRESETS[name].preprocess.pixels(smooth(0, size))
    assert tuple(found.shape) == (3, *expected[::-1])


def test_pixels_equal_pillow_and_numpy() -> None:
    image = smooth(1, (300, 260))
    found = PRESETS["sscd_disc_large"].preprocess.pixels(image)
    resized = np.array(image.resize((295, 256), Image.Resampling.BILINEAR), np.float32) / 255
    cropped = resized[16:240, 36:260]  # (256 - 224) / 2 = 16; (295 - 224) / 2 = 35.5, to even: 36
    assert np.allclose(found.numpy(), (cropped.transpose(2, 0, 1) - 0.5) / 0.5, atol=1e-6)


@pytest.mark.parametrize("bicubic", [False, True])
@pytest.mark.parametrize("size", [(64, 64), (160, 120), (40, 40)])
def test_a_tensor_is_prepared_as_the_same_picture(size: tuple[int, int], bicubic: bool) -> None:
    prepare = Preprocess(short_side=48, crop=48, bicubic=bicubic)
    image = smooth(2, size)
    difference = prepare.tensor(as_tensor(image))[0] - prepare.pixels(image)
    assert difference.abs().max() <= 2 * 2 / 255  # two grey levels; values span two


def test_values_outside_the_picture_range_are_clamped() -> None:
    found = Preprocess(square=8).tensor(torch.full((1, 3, 8, 8), 5.0))
    assert torch.equal(found, torch.ones(1, 3, 8, 8))


def test_a_preprocessing_has_one_size() -> None:
    for sizes in ({}, {"square": 8, "short_side": 8}):
        with pytest.raises(ValueError, match="short side or a square"):
            Preprocess(**sizes)


# descriptors


def test_saved_and_loaded_embedders_agree(tmp_path: Path) -> None:
    torch.manual_seed(1)
    made = embedder.build(16, (8, 16)).eval()
    x = torch.randn(3, 3, 32, 32)
    full = embedder.save(made, tmp_path / "full", preset(), half=False)
    half = embedder.save(made, tmp_path / "half", preset())
    with torch.inference_mode():
        assert torch.equal(embedder.load(full)(x), made(x))
        assert torch.allclose(embedder.load(half)(x), made(x), atol=5e-3)


def test_default_embedder_is_small() -> None:
    made = embedder.build()
    assert 1e6 < sum(p.numel() for p in made.parameters()) < 3e6
    assert made(torch.zeros(2, 3, 64, 64)).shape == (2, 128)


def test_an_embedder_trains() -> None:
    made = embedder.build(16, (8, 16))
    made(torch.randn(4, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in made.parameters())


def test_a_preset_survives_its_file(tiny_descriptor: Path) -> None:
    assert presets.find(tiny_descriptor) == preset(str(tiny_descriptor))
    assert descriptor(tiny_descriptor).preset.thresholds.copied == 0.8


def test_rows_are_unit_and_do_not_depend_on_their_batch(tiny_descriptor: Path) -> None:
    images = [smooth(i, size) for i, size in enumerate([(64, 64), (90, 40), (64, 64), (32, 32)])]
    loaded = descriptor(tiny_descriptor)
    together = loaded.embed(images)
    assert (together.shape, together.dtype) == ((4, 16), np.float32)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    alone = np.concatenate([loaded.embed([image]) for image in images])
    assert np.allclose(together, alone, atol=1e-5)
    assert loaded.embed([]).shape == (0, 16)


def test_pictures_of_different_shapes_keep_their_order() -> None:
    """A short side gives each shape its own batch; the rows come back in the order asked."""

    def mean_colour(pixels: torch.Tensor) -> torch.Tensor:
        return pixels.mean((2, 3))

    sized = preset(dims=3, preprocess=Preprocess((0.0,) * 3, (1.0,) * 3, short_side=16))
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    sizes = [(16, 32), (32, 16), (16, 32), (16, 16)]
    images = [Image.new("RGB", size, colour) for size, colour in zip(sizes, colours, strict=True)]
    found = Descriptor(sized, mean_colour, "").embed(images)
    assert np.allclose(found[:3], np.eye(3))
    assert np.allclose(found[3], [0.5**0.5, 0.5**0.5, 0])


def test_decoded_tensors_match_the_same_pictures(tiny_descriptor: Path) -> None:
    images = [smooth(i) for i in range(4)]
    loaded = descriptor(tiny_descriptor)
    rows = loaded.tensor(torch.cat([as_tensor(image) for image in images])).numpy()
    assert ((rows * loaded.embed(images)).sum(1) > 0.999).all()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A TorchScript file with SSCD's interface."""
    net = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())
    file = tmp_path / "net.torchscript.pt"
    torch.jit.script(net).save(str(file))
    return file


def test_torchscript_of_unknown_checksum_is_refused(script: Path) -> None:
    with pytest.raises(DescriptorError, match=r"checksum [0-9a-f]{64}, wanted 9f26bd4c"):
        descriptor("sscd_disc_mixup_320", script)
    with pytest.raises(DescriptorError, match="none is pinned"):
        descriptor("sscd_disc_large", script)


def test_torchscript_loads_with_trust_or_the_right_checksum(script: Path) -> None:
    known = preset(dims=12, sha256=file_hash(script))
    trusted = descriptor(preset(dims=12), script, trust=True)
    assert np.allclose(
        descriptor(known, script).embed([smooth(0)]), trusted.embed([smooth(0)]), atol=1e-7
    )
    assert trusted.hash == file_hash(script)


def test_missing_weights_say_where_to_get_them() -> None:
    wanted = r"Fetch it from https://.*mixup\.torchscript\.pt with `python -m memviz fetch"
    with pytest.raises(DescriptorError, match=wanted):
        descriptor("sscd_disc_mixup")


def test_a_file_that_is_no_torchscript_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"x")
    with pytest.raises(DescriptorError, match="not a TorchScript file"):
        descriptor("sscd_disc_mixup", tmp_path / "x.pt", trust=True)


def test_unknown_and_broken_descriptors_are_said(tmp_path: Path, tiny_descriptor: Path) -> None:
    with pytest.raises(DescriptorError, match="none of demo, sscd_disc_mixup"):
        descriptor("nope")
    (tmp_path / "preset.json").write_text("{}")
    with pytest.raises(DescriptorError, match=r"preset\.json cannot be used: name: Field required"):
        descriptor(tmp_path)
    shutil.copytree(tiny_descriptor, tmp_path / "cut")
    (tmp_path / "cut/projection.safetensors").write_bytes(b"cut")
    with pytest.raises(DescriptorError, match="is not a saved descriptor"):
        descriptor(tmp_path / "cut")


# the official files' class


class Sscd(nn.Module):
    """SSCD's architecture: a ResNet-50 trunk, GeM pooling (p = 3), a projection, a unit vector."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = ResNetModel(ResNetConfig())
        self.projection = nn.Linear(2048, 512)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features = self.trunk.encoder(self.trunk.embedder(pixels), return_dict=False)[0]
        pooled = features.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
        return nn.functional.normalize(self.projection(pooled))


@pytest.fixture(scope="module")
def sscd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the official ones' class with random weights."""
    torch.manual_seed(0)
    file, net = tmp_path_factory.mktemp("sscd") / "sscd_disc_mixup.torchscript.pt", Sscd()
    for part in net.modules():
        part.momentum = None  # one pass gives it the statistics that training would
    with torch.inference_mode():
        net(torch.randn(8, 3, 64, 64))
        torch.jit.trace(net.eval(), torch.randn(1, 3, 64, 64)).save(str(file))
    return file


@pytest.mark.parametrize("name", ["sscd_disc_mixup", "sscd_disc_mixup_320", "sscd_disc_mixup_dcr"])
def test_a_file_of_the_official_class_gives_unit_rows_of_any_shape(sscd: Path, name: str) -> None:
    loaded = descriptor(name, sscd, trust=True)
    images = [smooth(0, (96, 64)), smooth(1, (64, 64)), smooth(2, (96, 64))]
    rows = loaded.embed(images)
    assert rows.shape == (3, 512)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(rows[1], loaded.embed(images[1:2])[0], atol=1e-4)


def test_half_precision_agrees_within_a_thousandth(sscd: Path) -> None:
    small = presets.PRESETS["sscd_disc_mixup"]
    small = replace(small, preprocess=replace(small.preprocess, short_side=64))
    full = descriptor(small, sscd, trust=True).embed([smooth(i) for i in range(2)])
    half = descriptor(small, sscd, trust=True, half=True).embed([smooth(i) for i in range(2)])
    assert np.abs(full - half).max() < 1e-3


@pytest.mark.parametrize("size", [(640, 480), (333, 500), (288, 288)])
def test_sscd_is_prepared_as_its_reference(size: tuple[int, int]) -> None:
    """Resize(288), ToTensor, Normalize(ImageNet), written out with Pillow and numpy."""
    image = smooth(5, size)
    width, height = size
    to = (288, int(288 * height / width)) if width <= height else (int(288 * width / height), 288)
    for name, shape in (("sscd_disc_mixup", to), ("sscd_disc_mixup_320", (320, 320))):
        resized = np.array(image.resize(shape, Image.Resampling.BILINEAR), np.float64) / 255
        wanted = (resized - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        found = PRESETS[name].preprocess.pixels(image).numpy()
        assert np.allclose(found, wanted.transpose(2, 0, 1), atol=1e-5)


def test_every_checkpoint_has_every_way() -> None:
    assert len(PRESETS) == 12
    for name, preset_ in PRESETS.items():
        assert name.startswith(preset_.checkpoint.partition(".")[0])
        assert preset_.dims == (1024 if "large" in name else 512)


# fetching


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A web server with one file that answers ranges and breaks off once at 1000 bytes."""
    file, asked = tmp_path / "file", []
    file.write_bytes(np.random.default_rng(0).bytes(5000))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            asked.append(wanted)
            start = int(wanted[6:-1]) if wanted else 0
            rest = file.read_bytes()[start:]
            self.send_response(206 if wanted else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest if wanted else rest[:1000])

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/file", file, asked
        server.shutdown()


def fetchable(url: str, sha256: str | None) -> presets.Preset:
    return preset("net.torchscript.pt", name="net", url=url, sha256=sha256)


def test_a_broken_download_goes_on_and_is_checked(served, home: Path) -> None:
    url, file, asked = served
    wanted = fetchable(url, file_hash(file))
    with pytest.raises(DescriptorError, match="broke off at 1,000 of 5,000"):
        list(weights.fetch(wanted))
    assert not weights.place(wanted).exists()
    assert list(weights.fetch(wanted))[-1] == (5000, 5000)
    assert asked == ["", "bytes=1000-"]
    assert weights.place(wanted).read_bytes() == file.read_bytes()
    weights.place(wanted).unlink()


def test_an_unknown_checksum_is_refused_unless_told(served, home: Path) -> None:
    _, file, _ = served
    wanted = fetchable("http://127.0.0.1:1/x", None)
    with pytest.raises(DescriptorError, match=r"none is pinned.*Nothing was kept"):
        list(weights.fetch(wanted, str(file)))
    assert not [*home.joinpath("descriptors").glob("net*")]
    list(weights.fetch(wanted, str(file), trust=True))
    assert weights.known(wanted) == {file_hash(file)}
    (home / "descriptors/checksums.json").unlink()
    weights.place(wanted).unlink()


def test_what_cannot_be_fetched_is_said(tmp_path: Path) -> None:
    with pytest.raises(DescriptorError, match="cannot be fetched"):
        list(weights.fetch(fetchable("http://127.0.0.1:1/x", "0")))
    with pytest.raises(DescriptorError, match="No such file"):
        list(weights.fetch(fetchable("x", "0"), str(tmp_path / "none")))
    with pytest.raises(DescriptorError, match="needs no file"):
        list(weights.fetch(preset()))
