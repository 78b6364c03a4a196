"""Which models have no captions: new ones by name, and folders of a DDPMPipeline. No torch here."""

from __future__ import annotations

import json
from typing import Any

from memviz.io.paths import expand

CLASS = "DDPMPipeline"
NEW: dict[str, dict[str, Any]] = {  # arguments of UNet2DModel
    "ddpm-tiny": {  # for 16 px
        "block_out_channels": (32, 64, 64),
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        "layers_per_block": 1,
        "norm_num_groups": 8,
    },
    "ddpm-32": {  # as the released code has it: 128 channels x 1, 2, 2, 2, attention at level 1
        "block_out_channels": (128, 256, 256, 256),
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        "layers_per_block": 2,
        "dropout": 0.1,
    },
    "ddpm-64": {  # the same with a fifth level of 512 channels
        "block_out_channels": (128, 256, 256, 256, 512),
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D", *("DownBlock2D",) * 3),
        "up_block_types": (*("UpBlock2D",) * 3, "AttnUpBlock2D", "UpBlock2D"),
        "layers_per_block": 2,
        "dropout": 0.1,
    },
}


def is_unconditional(model: str) -> bool:
    """Whether a model as `--model` names it takes no captions."""
    if model in NEW:
        return True
    try:
        index = json.loads((expand(model) / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return index.get("_class_name") == CLASS
