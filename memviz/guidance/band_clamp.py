"""Guidance held back where the prompt pulls harder than ordinary prompts do at that step.

Broken Memories, KDD 2026, https://arxiv.org/abs/2605.22050: the norm of each latent update is kept
within a band that was measured on ordinary prompts; steps outside are pulled back. No code was
released and the exact rule is not stated. memviz's reading: where the magnitude of a step exceeds
the band's upper end, the scale is multiplied by their ratio, so that the prompt's part of the
update is as long as an ordinary prompt's at most. A model's own band comes from its `memviz.json`;
without one the limit is Wen et al.'s target of 3 at every step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from memviz.errors import InputError
from memviz.guidance.base import Observation
from memviz.guidance.mitigation import FullScale
from memviz.settings import setting

STEPS = 1000  # training timesteps


@dataclass(frozen=True)
class BandClamp(FullScale):
    """Plain guidance at scale * min(1, limit(t) / magnitude); it costs no evaluation.

    The limits are given from the noisiest step to the last at even distances of t, with a slash
    between them, and lie on lines between these. After Broken Memories, KDD 2026, arXiv 2605.22050;
    see the module for what is our reading.
    """

    limits: str = setting("3", "magnitudes not to exceed, as 16/12/4 from t = 1000 to 0")

    def __post_init__(self) -> None:
        """Check the settings. Raises InputError."""
        super().__post_init__()
        read_limits(self.limits)

    def scale(self, seen: Sequence[Observation]) -> float:
        """The full scale, or as much less as the magnitude is too large."""
        magnitude, limit = seen[-1].magnitude, limit_at(read_limits(self.limits), seen[-1].t)
        return self.w if magnitude <= limit else self.w * limit / magnitude


@lru_cache(maxsize=64)
def read_limits(text: str) -> tuple[float, ...]:
    """Limits from their spelling. Raises InputError unless all are numbers from 0 on."""
    try:
        found = tuple(float(part) for part in text.split("/"))
    except ValueError:
        found = ()
    if not found or not all(0 <= value < float("inf") for value in found):
        raise InputError(f"The limits are {text!r}. Give numbers from 0 on, as 16/12/4.")
    return found


def limit_at(limits: Sequence[float], t: float) -> float:
    """On the line between the two limits around a timestep."""
    place = (1 - min(max(t, 0), STEPS) / STEPS) * (len(limits) - 1)
    low = min(int(place), max(len(limits) - 2, 0))
    high = min(low + 1, len(limits) - 1)
    return limits[low] + (place - low) * (limits[high] - limits[low])


def spell_limits(values: Sequence[float], count: int = 11) -> str:
    """Upper ends of a band, one a step, as `limits` spells them: `count` of them at most."""
    last = len(values) - 1
    many = min(count, len(values))
    places = [round(i * last / max(1, many - 1)) for i in range(many)]
    return "/".join(f"{values[place]:.4g}" for place in places)
