"""Descriptor presets as data: checkpoint, preprocessing and thresholds always go together.

Three incompatible recipes of SSCD are in use, and a score means nothing without naming its own.
SSCD: Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", CVPR 2022.
DCR: Somepalli et al., "Diffusion Art or Digital Forgery?", CVPR 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from memviz.errors import MemvizError
from memviz.io import atomic
from memviz.io.paths import demo, expand
from memviz.io.read import DamagedFile, read_record
from memviz.retrieval.descriptors.preprocess import HALF, Preprocess
from memviz.retrieval.verdict import CopyThresholds

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # mean and deviation
TORCHSCRIPT, ONNX, INT8_ONNX = ".torchscript.pt", ".onnx", ".int8.onnx"  # endings of files
INT8 = ":int8"  # behind a name: the exported file in 8-bit integers
SSCD = "https://dl.fbaipublicfiles.com/sscd-copy-detection/"


class DescriptorError(MemvizError):
    """Why a descriptor cannot be used: one sentence."""


@dataclass(frozen=True)
class Preset:
    """One way of turning a picture into a unit vector, with the thresholds that belong to it."""

    name: str
    dims: int
    preprocess: Preprocess
    copied: float
    close: float
    source: str  # whose thresholds
    checkpoint: str = ""  # a file name for TorchScript, a folder for the demo's kind
    sha256: str | None = None
    url: str | None = None
    purpose: str = "photographs and the like"  # what pictures it was made for
    duplicate: float = 0.95  # similarity from which training pictures are duplicates, or a corpus'
    suits: tuple[str, ...] = ()  # bundled corpora that it may judge; all, if it names none

    @property
    def thresholds(self) -> CopyThresholds:
        """As the verdict takes them."""
        return CopyThresholds(self.copied, self.close, self.source)


WAYS = {  # how pictures are prepared: SSCD's two recommendations, and two papers' conventions
    "288": Preprocess(*IMAGENET, short_side=288),
    "288-square": Preprocess(*IMAGENET, square=288),  # MemBench
    "320": Preprocess(*IMAGENET, square=320),
    "dcr": Preprocess(short_side=256, crop=224, mean=HALF, std=HALF),
}
BY_SSCD = {
    "copied": 0.75,
    "close": 0.5,
    "source": "SSCD: 0.75 is 90 % precision on DISC; 0.5 is DCR's convention",
}
BY_WEN = {
    "copied": 0.7,
    "close": 0.5,
    "source": "0.7 is Wen et al.'s convention, 0.5 is DCR's",
}
# checkpoint: dimensions, checksum as recorded (none is published), way without a suffix, marks
CHECKPOINTS: dict[str, tuple[int, str | None, str, dict[str, Any]]] = {
    "sscd_disc_mixup": (
        512,
        "9f26bd4c848cc19b73d2ae92eea6e04886f61a7b764ceb7a13aeee62e6a6db56",
        "288",
        BY_SSCD,
    ),
    "sscd_disc_large": (1024, None, "dcr", BY_WEN),
    "sscd_imagenet_mixup": (512, None, "288", BY_WEN),
}
CONVENTIONS = {  # similarities from which papers speak of a copy
    0.5: "DCR, AMG, MemBench",
    0.7: "Wen et al.",
    0.75: "SSCD",
}


def _presets(checkpoint: str) -> Iterator[Preset]:
    """One checkpoint, prepared in each way."""
    dims, sha256, plain, marks = CHECKPOINTS[checkpoint]
    file = f"{checkpoint}{TORCHSCRIPT}"
    for way, preprocess in WAYS.items():
        name = checkpoint if way == plain else f"{checkpoint}_{way}"
        yield Preset(
            name, dims, preprocess, **marks, checkpoint=file, sha256=sha256, url=f"{SSCD}{file}"
        )


PRESETS = {preset.name: preset for name in CHECKPOINTS for preset in _presets(name)}


def find(name_or_folder: str | Path) -> Preset:
    """A preset by name, or the one that stands in a descriptor's folder."""
    text = str(name_or_folder)
    plain = text.removesuffix(INT8)
    if plain in PRESETS:
        return PRESETS[plain] if plain == text else _in_integers(PRESETS[plain])
    folder = demo() / "descriptor" if text == "demo" else expand(text)
    if text == "demo" and not folder.exists():
        raise DescriptorError(f"The bundled descriptor is missing: {folder}. Fetch assets/ again.")
    if not (folder / "preset.json").is_file():
        raise DescriptorError(
            f"No descriptor {text!r}: it is none of demo, {', '.join(PRESETS)}, "
            "nor a folder with a preset.json."
        )
    return read(folder)


def _in_integers(preset: Preset) -> Preset:
    """The same weights in 8 bits, as `export-descriptor` writes them."""
    file = preset.checkpoint.replace(TORCHSCRIPT, INT8_ONNX)
    return replace(preset, name=f"{preset.name}{INT8}", checkpoint=file, sha256=None, url=None)


def read(folder: Path) -> Preset:
    """The preset of a descriptor saved as a folder."""
    try:
        found = read_record(folder / "preset.json", Preset)
    except (FileNotFoundError, DamagedFile) as error:
        raise DescriptorError(f"{folder} holds no preset: {error}") from error
    return replace(found, checkpoint=str(folder))


def write(preset: Preset, folder: Path) -> None:
    """Beside the weights it belongs to."""
    values = {key: value for key, value in asdict(preset).items() if key != "checkpoint"}
    atomic.json(folder / "preset.json", values)
