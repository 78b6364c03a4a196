"""Values as the browser takes them: no NaN, pictures as text, methods with their marks."""

import base64
import io
import math
from collections.abc import Iterable

from PIL import Image

from memviz.ui.shared import sentences

COLORS = 7  # --mv-c0 … in player.css


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
    """How each of these methods is drawn and named: straight from the METHODS table."""
    from memviz.guidance.registry import METHODS

    known = {key: METHODS[key] for key in dict.fromkeys(keys) if key in METHODS}
    return {
        key: {
            "short": sentences.short(key),
            "label": m.label,
            "symbol": m.symbol,
            "dash": m.dash,
            "color": list(METHODS).index(key) % COLORS,
        }
        for key, m in known.items()
    }
