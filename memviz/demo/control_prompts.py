"""Ordinary prompts for the demo: fresh captions, none of a duplicated or held-out scene."""

import numpy as np

from memviz.demo import scenes
from memviz.demo.world import World
from memviz.io.paths import demo

SEED = 1234


def controls(n: int, style: str) -> list[str]:
    """`n` distinct captions of a style, "title" or "plain", the same each time."""
    names = scenes.names(demo() / "sprites")
    taken, rng = World(tuple(names)).reserved, np.random.default_rng(SEED)
    found: dict[str, None] = {}
    while len(found) < n:
        found[scenes.random_scene(rng, names, taken, style).caption] = None
    return list(found)
