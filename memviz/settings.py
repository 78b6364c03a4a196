"""A model's own `memviz.json`: parameters of its methods, benign bands, CLIP; few models have one.

`methods` maps keys to spellings (`{"stp": "late=4,at=500"}`) that go before the methods' defaults.
"""

import json
from pathlib import Path
from typing import Any

from memviz.guidance import Guidance
from memviz.methods import METHODS, parse


def settings(folder: Path) -> dict[str, Any]:
    """What a model's folder says of itself; empty without such a file."""
    path = folder / "memviz.json"
    return json.loads(path.read_text()) if path.is_file() else {}


def tuned(model: str) -> dict[str, Guidance]:
    """Every method at the parameters that suit a named model; nothing is loaded.

    Raises ValueError if there is no such model.
    """
    from memviz.models import find

    own = settings(Path(find(model).places[0]).expanduser()).get("methods")
    return {key: parse(key, own)[1] for key in METHODS}
