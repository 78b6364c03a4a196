"""Values as the browser takes them: no NaN, pictures as text, methods with their marks."""

import base64
import io
import math
from collections.abc import Iterable
from itertools import cycle

from PIL import Image

from memviz.guidance.registry import METHODS
from memviz.ui.shared import sentences

COLORS = 7  # --mv-c0 … in player.css
MARKS = {  # plotly's marker and dash of each method, by which its curve is told without colour
    "cfg": ("circle", "solid"),
    "stp": ("square", "dash"),
    "dtp": ("diamond", "dot"),
    "og": ("triangle-up", "dashdot"),
    "wen": ("star", "longdash"),
    "rta": ("cross", "longdashdot"),
    "cwr": ("x", "2px,2px"),
    "rna": ("pentagon", "8px,2px"),
    "gni": ("hexagon", "2px,6px"),
    "cads": ("hourglass", "12px,4px"),
    "ren": ("triangle-down", "6px,2px,2px,2px"),
    "han": ("bowtie", "12px,2px,2px,2px"),
    "amg": ("star-diamond", "4px,4px"),
    "pad": ("octagon", "16px,4px"),
    "han-batch": ("diamond-wide", "16px,2px,2px,2px"),
    "sail": ("diamond-tall", "2px,4px"),
    "clamp": ("star-square", "10px,2px,4px,2px"),
    "guard": ("hexagram", "6px,6px"),
}
SYMBOLS = ("triangle-down", "pentagon", "hexagon", "star", "cross", "hourglass", "bowtie")
OTHERS = [(symbol, f"{3 + 2 * i}px,3px") for i, symbol in enumerate(SYMBOLS)]


def data_uri(image: Image.Image | None) -> str | None:
    """A live preview as text; finished pictures go out as files instead."""
    if image is None:
        return None
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=90, method=0)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def number(value: float | None) -> float | None:
    """A value the browser can read: rounded, and nothing where it is not a number."""
    return None if value is None or not math.isfinite(value) else round(value, 4)


def methods(keys: Iterable[str]) -> dict[str, dict]:
    """How each method is drawn and named; those without marks of their own get them by order."""
    keys = [*dict.fromkeys(keys)]
    known = [key for key in METHODS if key in MARKS]
    others = [key for key in keys if key not in MARKS]
    marks = MARKS | dict(zip(others, cycle(OTHERS)))
    return {
        key: {
            "short": sentences.short(key),
            "label": METHODS[key].label if key in METHODS else key,
            "symbol": marks[key][0],
            "dash": marks[key][1],
            "color": [*known, *others].index(key) % COLORS,
        }
        for key in keys
    }
