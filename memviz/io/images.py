"""Encoded pictures to RGB as a person sees them: upright, eight bits, first frame, bounded.

What cannot be read raises ValueError with its reason; what had to be changed is a note.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from memviz.errors import InputError

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

LARGEST = 100_000_000  # pixels; a picture beyond that costs more than 300 MB to decode
NARROWEST = 200  # times as long as wide; resized to a short side, a line would be gigabytes
UPRIGHT = 1  # EXIF orientation
ORIENTATION = 0x0112  # EXIF tag
SHOWN = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}  # what browsers show, and its suffix


def decode(data: bytes) -> tuple[Image.Image, str]:
    """A picture, RGB, and a note on what was done to it ("" for nothing)."""
    from PIL import Image

    if not data:
        raise InputError("it is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(data))
        _check_size(*image.size)
        return _upright(image)
    except Exception as error:  # Pillow's decoders raise whatever a damaged picture leads them to
        raise InputError(" ".join(str(error).split()) or type(error).__name__) from error


def plain(data: bytes) -> str:
    """The suffix of an encoded picture that every browser shows as `decode` reads it; else ""."""
    from PIL import Image

    with suppress(Exception):  # as in `decode`
        image = Image.open(io.BytesIO(data))
        still = image.mode == "RGB" and getattr(image, "n_frames", 1) == 1
        # Exif data may turn it, and may tell of a person; the others change its colours
        if still and not image.getexif() and not {"icc_profile", "transparency"} & {*image.info}:
            return SHOWN.get(image.format or "", "")
    return ""


def png_parameters(
    prompt: str, settings: Mapping[str, object], about: Mapping[str, object]
) -> PngInfo:
    """The text chunks of a generated PNG: a line for people and their tools, JSON for programs."""
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    line = ", ".join(f"{name}: {value}" for name, value in settings.items())
    text.add_text("parameters", f"{prompt}\n{line}")
    text.add_text("memviz", json.dumps(about))
    return text


def _check_size(width: int, height: int) -> None:
    if max(width, height) > NARROWEST * min(width, height):
        raise InputError(f"it is too narrow: {width} x {height} pixels, at most 1 to {NARROWEST}")
    if width * height > LARGEST:
        raise InputError(f"it is too large: {width} x {height} pixels, at most {LARGEST:,} in all")


def _upright(image: Image.Image) -> tuple[Image.Image, str]:
    from PIL import ImageOps

    notes = []
    if getattr(image, "n_frames", 1) > 1:
        notes.append("animated: the first frame is used")
    if image.mode == "CMYK":
        notes.append("CMYK: converted to RGB")
    if image.mode.startswith("I"):
        notes.append("16 bits: the upper eight are used")
    if image.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT:
        notes.append("turned upright as its EXIF says")
        image = ImageOps.exif_transpose(image)
    return _eight_bits(image), "; ".join(notes)


def _eight_bits(image: Image.Image) -> Image.Image:
    """RGB; Pillow itself would clip 16-bit grey to white."""
    from PIL import Image

    if not image.mode.startswith("I"):
        return image.convert("RGB")
    import numpy as np

    return Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
