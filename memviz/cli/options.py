"""Options that several verbs take, each with one spelling, default and help."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from memviz.comparison.request import ComparisonRequest
from memviz.models.loading import DTYPES
from memviz.models.schedulers import SCHEDULERS, SPACINGS
from memviz.retrieval.clip_choice import HELP
from memviz.signals import COSTLY

OPTIONS: dict[str, dict[str, Any]] = {
    "seeds": {"default": "0", "help": "whole numbers, as 0,1,2 or 0-3 (default: %(default)s)"},
    "steps": {"type": int, "help": "denoising steps (default: %(default)s)"},
    "scheduler": {"help": f"{', '.join(SCHEDULERS)} (default: %(default)s)"},
    "spacing": {
        "choices": [*filter(None, SPACINGS)],
        "help": "of the timesteps (default: the model's own, else diffusers' for the scheduler)",
    },
    "size": {"type": int, "help": "pixels a side (default: the model's own)"},
    "dtype": {
        "choices": [*filter(None, DTYPES)],
        "help": "what the model computes in (default: float16 on a GPU, float32 on a CPU)",
    },
    "model": {"help": "a name, a folder, owner/name or PIPE+UNET (default: %(default)s)"},
    "corpus": {"help": "training images to look through (default: %(default)s)"},
    "descriptor": {"help": "how pictures are compared (default: %(default)s)"},
    "clip": {"help": HELP},
    "signals": {"default": "", "help": f"costly ones to record: {', '.join(COSTLY)}"},
    "decoder": {"default": "", "help": "of the estimates: own, linear, a folder or a hub id"},
    "look-every": {
        "type": int,
        "metavar": "K",
        "help": "decode every K-th estimate by the model's own decoder as well (default: never)",
    },
    "keep": {"action": "store_true", "help": "keep the latents, to go on from any step"},
    "probe": {"action": "store_true", "help": "record magnitudes along plain guidance as well"},
    "out": {"type": Path, "metavar": "DIR", "help": "write the run folder here"},
}


def add_options(sub: argparse.ArgumentParser, *names: str, **changes: Mapping[str, Any]) -> None:
    """Give a verb some of these options; `changes` replace parts of one by its name."""
    for name in names:
        field = name.replace("-", "_")
        usual = {"default": getattr(ComparisonRequest, field)} if name in DEFAULTS else {}
        sub.add_argument(f"--{name}", **usual | OPTIONS[name] | dict(changes.get(name, {})))


PATH = ("steps", "scheduler", "spacing", "size", "dtype")  # how a picture is denoised
MADE = (*PATH, "model", "corpus", "descriptor")  # with what it is made and judged
DEFAULTS = (*MADE, "clip", "look-every")  # those of a request
