"""FID's Inception v3 in plain torch, and the three ways in which pictures are prepared for it.

Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016. FID's network is the one of
2015-12-05 that TensorFlow published: average pools that leave the padding out, a maximum pool in
the last block, 1,008 classes. Names of the parts are those of the published weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d, relu

from memviz.errors import InputError, MemvizError
from memviz.io.hashing import file_hash
from memviz.io.paths import home
from memviz.retrieval.descriptors.preprocess import HALF, Preprocess

if TYPE_CHECKING:
    from PIL import Image

SIDE, DIMS, CLASSES = 299, 2048, 1008
FILE = "weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BYTES = 95_628_359
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
LICENSE = "Apache-2.0"
Way = Literal["fid", "fid-clean", "fid-dcr"]
WAYS: tuple[Way, ...] = ("fid", "fid-clean", "fid-dcr")


class InceptionError(MemvizError):
    """Why the network cannot be used: one sentence."""


class Convolution(nn.Module):
    """A convolution without bias, batch norm and ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)), inplace=True)


def mean_pool(x: Tensor) -> Tensor:
    """3x3, the same size; padding does not count (FID's patch)."""
    return avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class MixedA(nn.Module):
    """35x35 blocks."""

    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 64, 1)
        self.branch5x5_1 = Convolution(inputs, 48, 1)
        self.branch5x5_2 = Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, padding=1)
        self.branch_pool = Convolution(inputs, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, twice, self.branch_pool(mean_pool(x))], 1)


class MixedB(nn.Module):
    """35x35 to 17x17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        twice = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), twice, max_pool2d(x, 3, 2)], 1)


class MixedC(nn.Module):
    """17x17 blocks."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 192, 1)
        self.branch7x7_1 = Convolution(inputs, width, 1)
        self.branch7x7_2 = Convolution(width, width, (1, 7), padding=(0, 3))
        self.branch7x7_3 = Convolution(width, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = Convolution(inputs, width, 1)
        self.branch7x7dbl_2 = Convolution(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = Convolution(width, width, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = Convolution(width, width, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = Convolution(width, 192, (1, 7), padding=(0, 3))
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_2(self.branch7x7dbl_1(x))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(self.branch7x7dbl_3(twice)))
        return torch.cat([self.branch1x1(x), seven, twice, self.branch_pool(mean_pool(x))], 1)


class MixedD(nn.Module):
    """17x17 to 8x8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(inputs, 192, 1)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(inputs, 192, 1)
        self.branch7x7x3_2 = Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        three = self.branch3x3_2(self.branch3x3_1(x))
        return torch.cat([three, self.branch7x7x3_4(seven), max_pool2d(x, 3, 2)], 1)


class MixedE(nn.Module):
    """8x8 blocks; the last one pools by the maximum (FID's patch)."""

    def __init__(self, inputs: int, last: bool) -> None:
        super().__init__()
        self.last = last
        self.branch1x1 = Convolution(inputs, 320, 1)
        self.branch3x3_1 = Convolution(inputs, 384, 1)
        self.branch3x3_2a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Convolution(inputs, 448, 1)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pool = max_pool2d(x, 3, 1, 1) if self.last else mean_pool(x)
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(twice), self.branch3x3dbl_3b(twice), self.branch_pool(pool)]
        return torch.cat(parts, 1)


class Inception(nn.Module):
    """Pictures (B, 3, 299, 299) in [-1, 1] to features (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3)
        self.Mixed_5b = MixedA(192, 32)
        self.Mixed_5c = MixedA(256, 64)
        self.Mixed_5d = MixedA(288, 64)
        self.Mixed_6a = MixedB(288)
        self.Mixed_6b = MixedC(768, 128)
        self.Mixed_6c = MixedC(768, 160)
        self.Mixed_6d = MixedC(768, 160)
        self.Mixed_6e = MixedC(768, 192)
        self.Mixed_7a = MixedD(768)
        self.Mixed_7b = MixedE(1280, last=False)
        self.Mixed_7c = MixedE(2048, last=True)
        self.fc = nn.Linear(DIMS, CLASSES)  # unused here; the published file has it

    def forward(self, x: Tensor) -> Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(max_pool2d(x, 3, 2)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(max_pool2d(x, 3, 2))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        return self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))


def place() -> Path:
    """Where the published weights are kept."""
    return home() / "inception" / FILE


def load_inception(
    file: Path | None = None, sha256: str = SHA256, device: str = "cpu"
) -> Inception:
    """The network with published weights, ready to use; only a file of this checksum is read."""
    file = file or place()
    if not file.is_file():
        raise InceptionError(
            f"FID needs {FILE} ({BYTES:,} bytes, {LICENSE}), which is not at {file}. "
            f"Download it from {URL}."
        )
    if (found := file_hash(file)) != sha256:
        raise InceptionError(
            f"{file} has checksum {found}, wanted {sha256}. Download it again from {URL}."
        )
    try:
        weights = torch.load(file, map_location="cpu", weights_only=True)
        with torch.device("meta"):
            network = Inception()
        network.to_empty(device="cpu").load_state_dict(weights)
    except Exception as error:
        said = " ".join(str(error).split())[:200]
        raise InceptionError(f"{file} does not hold FID's Inception: {said}") from error
    return network.to(device).eval().requires_grad_(False)


def prepare(image: Image.Image, way: Way) -> Tensor:
    """(3, 299, 299) of a picture as one of the three conventions feeds it.

    `fid`: TensorFlow 1's bilinear resize, (x - 128) / 128 (Heusel et al., torch-fidelity).
    `fid-clean`: Pillow's bicubic on floats (Parmar et al., CVPR 2022), the same range.
    `fid-dcr`: short side 299, crop, brought to [-1, 1], then as if that were [0, 1]: [-3, 1].
    """
    match way:
        case "fid":
            return (resize_as_tensorflow(pixels(image), SIDE) - 128) / 128
        case "fid-clean":
            return (resize_clean(pixels(image), SIDE) - 128) / 128
        case "fid-dcr":
            return Preprocess(HALF, HALF, short_side=SIDE, crop=SIDE).pixels(image) * 2 - 1
    raise InputError(f"No preparation is named {way!r}; choose one of {', '.join(WAYS)}.")


def pixels(image: Image.Image) -> Tensor:
    """(3, h, w) float32 in [0, 255]."""
    return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float()


def resize_as_tensorflow(x: Tensor, side: int) -> Tensor:
    """TensorFlow 1's bilinear resize of (C, h, w): no half-pixel centers, no antialiasing."""
    for axis in (1, 2):
        size = x.shape[axis]
        at = torch.arange(side, dtype=torch.float32) * (size / side)
        low = at.long()
        high = (low + 1).clamp(max=size - 1)
        weight = (at - low).view(-1, 1) if axis == 1 else at - low
        x = x.index_select(axis, low).lerp(x.index_select(axis, high), weight)
    return x


def resize_clean(x: Tensor, side: int) -> Tensor:
    """Pillow's bicubic resize with antialiasing of each channel of (C, h, w) as floats."""
    from PIL import Image

    resized = [
        np.asarray(Image.fromarray(channel).resize((side, side), Image.Resampling.BICUBIC))
        for channel in x.numpy()
    ]
    return torch.from_numpy(np.stack(resized)).clamp(0, 255)


@torch.inference_mode()
def features(network: nn.Module, images: Sequence[Image.Image], way: Way) -> np.ndarray:
    """(B, 2048) float32 of pictures of any size."""
    device = next(network.parameters()).device
    batch = torch.stack([prepare(image, way) for image in images]).to(device)
    return network(batch).float().cpu().numpy()
