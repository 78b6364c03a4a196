"""The registry of guidance methods, and their spelling: `stp:early=0,late=7.5,at=500`.

A new method is a new row of METHODS. The form, the command line, the docs and the tests read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from memviz.guidance.amg import AntiMemorization
from memviz.guidance.attention_rescaling import AttentionRescale
from memviz.guidance.base import Guidance
from memviz.guidance.cads import Annealed
from memviz.guidance.noise_adjustment import NoiseAdjustment
from memviz.guidance.prompt_optimization import PromptOptimisation
from memviz.guidance.prompt_perturbation import (
    EmbeddingNoise,
    RandomNumbers,
    RandomTokens,
    WordRepetition,
)
from memviz.guidance.transition import Constant, Dynamic, Opposite, Static


@dataclass(frozen=True)
class Method:
    """A row of the registry; `symbol` and `dash` tell its curve from others without colour."""

    label: str
    about: str
    guidance: Guidance
    symbol: str
    dash: str
    presets: Mapping[str, Guidance] = field(default_factory=dict)


METHODS: dict[str, Method] = {
    "cfg": Method(
        "CFG",
        "Classifier-free guidance: the prompt is followed at full scale from the first step.",
        Constant(),
        "circle",
        "solid",
    ),
    "stp": Method(
        "Static transition (STP)",
        "Ignores the prompt until a fixed timestep, then follows it. Preset `released`: the same "
        "scales; the released script's jump to a 200-step grid at t = 500 is not repeated.",
        Static(),
        "square",
        "dash",
        {"released": Static()},
    ),
    "dtp": Method(
        "Dynamic transition (DTP)",
        "Ignores the prompt until the magnitude passes its first minimum, then follows it. Preset "
        "`released`: before, it is followed plainly (scale 1); no fallback; as the released code.",
        Dynamic(),
        "diamond",
        "dot",
        {"released": Dynamic(early=1, latest=0)},
    ),
    "og": Method(
        "Opposite guidance (OG)",
        "Moves away from the prompt until the transition, then follows it. Preset `released`: the "
        "one path of the released code that makes pictures, static at 650.",
        Opposite(),
        "triangle-up",
        "dashdot",
        {"released": Opposite()},
    ),
    "wen": Method(
        "Prompt optimisation (Wen)",
        "Changes the prompt's embedding before the first step until it pulls no harder than "
        "`target`. Costs two evaluations for each step of the optimiser.",
        PromptOptimisation(),
        "star",
        "longdash",
    ),
    "rta": Method(
        "Random tokens (RTA)",
        "Puts random words into the prompt.",
        RandomTokens(),
        "cross",
        "longdashdot",
    ),
    "cwr": Method(
        "Word repetition (CWR)",
        "Says some words of the prompt again at random places.",
        WordRepetition(),
        "x",
        "2px,2px",
    ),
    "rna": Method(
        "Random numbers (RNA)",
        "Puts random numbers into the prompt.",
        RandomNumbers(),
        "pentagon",
        "8px,2px",
    ),
    "gni": Method(
        "Embedding noise (GNI)",
        "Adds Gaussian noise to the prompt's embedding and to the empty one's.",
        EmbeddingNoise(),
        "hexagon",
        "2px,6px",
    ),
    "cads": Method(
        "Annealed condition (CADS)",
        "Drowns the prompt's embedding in noise at first and clears it as the steps go on.",
        Annealed(),
        "hourglass",
        "12px,4px",
    ),
    "ren": Method(
        "Attention rescale (Ren)",
        "Masks the padding in cross-attention and weighs the begin token up.",
        AttentionRescale(),
        "triangle-down",
        "6px,2px,2px,2px",
    ),
    "han": Method(
        "Noise adjustment (Han)",
        "Changes the starting noise until the prompt pulls no harder than `target`. Costs four "
        "evaluations for each step of the optimiser.",
        NoiseAdjustment(),
        "bowtie",
        "12px,2px,2px,2px",
    ),
    "amg": Method(
        "Anti-memorization guidance (AMG)",
        "Looks each step's x0 estimate up among the training images and steers away from one that "
        "is too near.",
        AntiMemorization(),
        "star-diamond",
        "4px,4px",
    ),
}


CORE = ("cfg", "stp", "dtp", "og")
"""The methods that are compared unless others are asked for: they cost nothing more."""
