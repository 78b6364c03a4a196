"""The registry of guidance methods, which the form, the command line, the docs and the tests read.

A method of one's own is registered from one's own file:

    @register("ramp", label="Ramp", about="Guidance grows evenly.")
    @dataclass(frozen=True)
    class Ramp: ...

and that file is found as `memviz.guidance.plugins` says.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import TypeVar

from memviz.errors import InputError
from memviz.guidance import plugins
from memviz.guidance.amg import AntiMemorization
from memviz.guidance.attention_rescaling import AttentionRescale
from memviz.guidance.band_clamp import BandClamp
from memviz.guidance.base import Guidance
from memviz.guidance.batch_noise_adjustment import BatchNoiseAdjustment
from memviz.guidance.cads import Annealed
from memviz.guidance.noise_adjustment import NoiseAdjustment
from memviz.guidance.padding import PaddingFix
from memviz.guidance.prompt_optimization import PromptOptimization
from memviz.guidance.prompt_perturbation import (
    EmbeddingNoise,
    RandomNumbers,
    RandomTokens,
    WordRepetition,
)
from memviz.guidance.sharpness_search import SharpnessSearch
from memviz.guidance.spike_guard import SpikeGuard
from memviz.guidance.switch import AtTimestep, FirstMinimum, Switch
from memviz.guidance.transition import Constant, TwoPhase
from memviz.settings import Setting, Value, change_settings, list_settings

Made = TypeVar("Made", bound=type)
KEY = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Method:
    """A row of the registry: a guidance value with its defaults, and what it is called.

    `changes` is an entry of CHANGES. `presets` are named values. Where there are `switches`, a
    setting `transition` chooses one.
    """

    label: str
    about: str
    guidance: Guidance
    presets: Mapping[str, Guidance] = field(default_factory=dict[str, Guidance])
    switches: Mapping[str, Switch] = field(default_factory=dict[str, Switch])
    changes: str = "scale"

    @property
    def settings(self) -> list[Setting]:
        """Everything that can be set; what belongs to one of several switches says to which."""
        found = list_settings(self.guidance)
        if not self.switches:
            return found
        kinds = tuple(self.switches)
        choice = Setting("transition", str, self.kind(self.guidance), "which transition",
                         choices=kinds, label="transition")  # fmt: skip
        of_switches = [
            replace(each, when=kind)
            for kind, switch in self.switches.items()
            for each in list_settings(switch)
        ]
        inner = {each.name for each in of_switches}
        *own, last = (each for each in found if each.name not in inner)
        return [*own, choice, *of_switches, last]

    def kind(self, guidance: Guidance) -> str:
        """Which of the switches a value has; empty where there is no choice."""
        made = getattr(guidance, "switch", None)
        same = (kind for kind, switch in self.switches.items() if isinstance(made, type(switch)))
        return next(same, "")

    def read(self, guidance: Guidance) -> dict[str, Value]:
        """The settings that a value of this method has, by name."""
        chosen = {"transition": self.kind(guidance)} if self.switches else {}
        return {each.name: each.default for each in list_settings(guidance)} | chosen

    def build(self, values: Mapping[str, Value]) -> Guidance:
        """The value with these settings, and the defaults for all others."""
        guidance = self.guidance
        if self.switches and isinstance(guidance, TwoPhase) and "transition" in values:
            guidance = replace(guidance, switch=self.switches[str(values["transition"])])
        return change_settings(guidance, values)

    def takes(self, guidance: Guidance) -> bool:
        """Whether a value is of this method, so that its key and settings describe it."""
        usual = [*self.switches.values()] or [getattr(self.guidance, "switch", None)]
        switch = getattr(guidance, "switch", None)
        return type(guidance) is type(self.guidance) and type(switch) in map(type, usual)


class Registry(Mapping[str, Method]):
    """Methods by key, ours first; what others registered is loaded when it is first asked for."""

    def __init__(self, rows: Mapping[str, Method]) -> None:
        self._ours, self._rows = frozenset(rows), dict(rows)

    def __getitem__(self, key: str) -> Method:
        if key not in self._rows:
            plugins.load_plugins()
        return self._rows[key]

    def __iter__(self) -> Iterator[str]:
        plugins.load_plugins()
        return iter([*self._rows])

    def __len__(self) -> int:
        plugins.load_plugins()
        return len(self._rows)

    def add(self, key: str, method: Method) -> None:
        """Add a row, or replace one that is not ours. Raises InputError if it cannot be."""
        if not KEY.fullmatch(key):
            raise InputError(f"{key!r} is no key of a method; write lower-case letters, as ramp.")
        if key in self._ours:
            raise InputError(f"{key!r} is a method of memviz. Register yours under another key.")
        made = type(method.guidance)
        if not is_dataclass(made) or made.__hash__ is None:
            raise InputError(f"{made.__name__} can change. Make it a @dataclass(frozen=True).")
        if missing := [name for name in ("scale", "transition") if not hasattr(made, name)]:
            raise InputError(
                f"{made.__name__} has no {missing[0]}(seen). Add it; see docs/add-a-method.md."
            )
        self._rows[key] = method

    def remove(self, key: str) -> None:
        """Forget a row that is not ours."""
        if key not in self._ours:
            self._rows.pop(key, None)


METHODS = Registry(
    {
        "cfg": Method(
            "CFG",
            "Classifier-free guidance: the prompt is followed at full scale from the first step.",
            Constant(),
        ),
        "stp": Method(
            "Static transition (STP)",
            "Ignores the prompt until a fixed timestep, then follows it. Preset `released`: the "
            "same scales; the released script's jump to a 200-step grid at t = 500 is not "
            "repeated.",
            TwoPhase(),
            {"released": TwoPhase()},
        ),
        "dtp": Method(
            "Dynamic transition (DTP)",
            "Ignores the prompt until the magnitude passes its first minimum, then follows it. "
            "Preset `released`: before, it is followed plainly (scale 1); no fallback; as the "
            "released code.",
            TwoPhase(switch=FirstMinimum()),
            {"released": TwoPhase(early=1, switch=FirstMinimum(latest=0))},
        ),
        "og": Method(
            "Opposite guidance (OG)",
            "Moves away from the prompt until the transition, then follows it. Preset `released`: "
            "the one path of the released code that makes pictures, static at 650.",
            TwoPhase(-2, switch=AtTimestep(650)),
            {"released": TwoPhase(-2, switch=AtTimestep(650))},
            {"static": AtTimestep(650), "dynamic": FirstMinimum()},
        ),
        "wen": Method(
            "Prompt optimization (Wen)",
            "Changes the prompt's embedding before the first step until it pulls no harder than "
            "`target`. Costs two evaluations for each step of the optimizer.",
            PromptOptimization(),
            {"released": PromptOptimization(embedding="released")},
            changes="prompt",
        ),
        "rta": Method(
            "Random tokens (RTA)",
            "Puts random words into the prompt.",
            RandomTokens(),
            changes="prompt",
        ),
        "cwr": Method(
            "Word repetition (CWR)",
            "Says some words of the prompt again at random places.",
            WordRepetition(),
            changes="prompt",
        ),
        "rna": Method(
            "Random numbers (RNA)",
            "Puts random numbers into the prompt.",
            RandomNumbers(),
            changes="prompt",
        ),
        "gni": Method(
            "Embedding noise (GNI)",
            "Adds Gaussian noise to the prompt's embedding and to the empty one's.",
            EmbeddingNoise(),
            changes="prompt",
        ),
        "cads": Method(
            "Annealed condition (CADS)",
            "Drowns the prompt's embedding in noise at first and clears it as the steps go on.",
            Annealed(),
            changes="prompt",
        ),
        "ren": Method(
            "Attention rescale (Ren)",
            "Masks the padding in cross-attention and weighs the begin token up.",
            AttentionRescale(),
            changes="attention",
        ),
        "han": Method(
            "Noise adjustment (Han)",
            "Changes the starting noise until the prompt pulls no harder than `target`. Costs four "
            "evaluations for each step of the optimizer.",
            NoiseAdjustment(),
            changes="noise",
        ),
        "amg": Method(
            "Anti-memorization guidance (AMG)",
            "Looks each step's x0 estimate up among the training images and steers away from one "
            "that is too near.",
            AntiMemorization(),
            changes="prediction",
        ),
        "pad": Method(
            "Padding fix (Pad)",
            "Pads the prompt with another token and empties its end token, which repeat the prompt "
            "in Stable Diffusion 1. Costs nothing.",
            PaddingFix(),
            changes="prompt",
        ),
        "han-batch": Method(
            "Noise move (Han, batch-wise)",
            "Moves the starting noise off the slope of the prompt's pull, without a gradient, and "
            "follows the prompt from a transition on. Costs four evaluations for each round.",
            BatchNoiseAdjustment(),
            changes="noise",
        ),
        "sail": Method(
            "Sharpness search (SAIL)",
            "Searches for a starting noise at which the prompt's pull changes little along itself. "
            "Costs five evaluations for each step of the search.",
            SharpnessSearch(),
            changes="noise",
        ),
        "clamp": Method(
            "Band clamp (Clamp)",
            "Holds guidance back where the prompt pulls harder than ordinary prompts do at that "
            "step. Costs nothing.",
            BandClamp(),
        ),
        "guard": Method(
            "Spike guard (GUARD)",
            "Weakens attention spikes and steers away from the prediction that has them. Costs one "
            "evaluation more for each step.",
            SpikeGuard(),
            changes="attention",
        ),
    }
)

CHANGES = {
    "scale": "the scale",
    "prompt": "the prompt",
    "attention": "attention",
    "noise": "the starting noise",
    "prediction": "the prediction",
}
"""What a method changes, in words."""

CORE = ("cfg", "stp", "dtp", "og")
"""The methods that are compared unless others are asked for: they cost nothing more."""


def register(
    key: str, label: str = "", about: str = "", presets: Mapping[str, Guidance] | None = None
) -> Callable[[Made], Made]:
    """A decorator that adds a class to the methods, under a key and at its defaults.

    The class is a frozen dataclass with `scale(seen)` and `transition(seen)`, every field of which
    has a default; fields made by `memviz.settings.setting` can be set. Without `about` the first
    line of its docstring is taken. Raises InputError if it cannot be a method.
    """

    def add(made: Made) -> Made:
        said = about or (made.__doc__ or "").strip().partition("\n")[0]
        METHODS.add(key, Method(label or key, said, made(), presets or {}))
        return made

    return add
