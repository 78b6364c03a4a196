"""What the demo world is made of: its corpus, its duplicated set and its prompt lists.

Everything follows from `SEED`. The corpus never holds a swapped or held-out caption, and
pretraining never sees the duplicated ones either: what is copied later was learnt later.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from memviz.demo.scenes import COLOURS, Scene, a, random_scene, title

SEED = 20_260
DUPLICATED = 32  # scenes shown several hundred times as often as the rest
HELDOUT = 32  # prompts of each style, never trained on


@dataclass(frozen=True)
class World:
    """The corpus' scenes and the prompts kept out of it, for a list of sprite names."""

    names: tuple[str, ...]
    images: int = 10_000

    @cached_property
    def duplicated(self) -> list[Scene]:
        """The scenes the model will have copied: titles, each sprite first once."""
        rng = np.random.default_rng(SEED)
        scenes: list[Scene] = []
        while len(scenes) < min(DUPLICATED, len(self.names)):
            scene = random_scene(rng, list(self.names), self.taken(scenes), "title")
            if scene.sprites[0].name not in {s.sprites[0].name for s in scenes}:
                scenes.append(scene)
        return scenes

    @cached_property
    def swapped(self) -> list[str]:
        """The duplicated captions with their two sprites exchanged: hard negatives."""
        return [swap(s.caption) for s in self.duplicated]

    @cached_property
    def heldout(self) -> dict[str, list[str]]:
        """Captions of both styles that nothing is ever trained on; "single" has one sprite each."""
        rng = np.random.default_rng(SEED + 1)
        found = set(self.taken(self.duplicated))
        titles = [self.fresh(rng, found, "title") for _ in range(HELDOUT)]
        plain = [self.fresh(rng, found, "plain") for _ in range(HELDOUT)]
        colours = rng.choice(list(COLOURS), len(self.names))
        alone = [f"{a(n)} on {a(c)} background" for n, c in zip(self.names, colours, strict=True)]
        return {"title": titles, "plain": plain, "single": alone}

    @cached_property
    def near(self) -> list[str]:
        """Held-out titles that name the two sprites of a duplicated one in other words."""
        pairs = {frozenset(p.name for p in s.sprites) for s in self.duplicated}
        return [c for c in self.heldout["title"] if frozenset(c.split()[1::3]) in pairs]

    @cached_property
    def scenes(self) -> list[Scene]:
        """The corpus: the duplicated scenes first, then as many titles as plain ones, each once."""
        rng, reserved = np.random.default_rng(SEED + 2), self.reserved
        rest = self.images - len(self.duplicated)
        return self.duplicated + [
            random_scene(rng, list(self.names), reserved, ("title", "plain")[i % 2])
            for i in range(rest)
        ]

    @cached_property
    def reserved(self) -> frozenset[str]:
        """Captions that neither pretraining nor the corpus' single scenes may use."""
        kept = [c for captions in self.heldout.values() for c in captions]
        return frozenset({*self.taken(self.duplicated), *kept})

    def taken(self, scenes: list[Scene]) -> set[str]:
        """Captions of these scenes and their swapped forms."""
        return {c for s in scenes for c in (s.caption, swap(s.caption))}

    def fresh(self, rng: np.random.Generator, found: set[str], style: str) -> str:
        """A caption not yet found, added to `found` along with its swapped form."""
        scene = random_scene(rng, list(self.names), found, style)
        found |= self.taken([scene])
        return scene.caption


def swap(caption: str) -> str:
    """A title with its two sprites exchanged; any other caption as it is."""
    match caption.split():
        case [style, first, product, "with", second]:
            return title(style, second, product, first)
    return caption
