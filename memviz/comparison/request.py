"""What a comparison is asked to do, checked before anything heavy is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import product
from typing import Any

from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.registry import CORE
from memviz.guidance.spec import MethodSpec, make_specs
from memviz.models.loading import check_dtype
from memviz.models.schedulers import SCHEDULERS, check_spacing
from memviz.signals import check

LONGEST = 2_000  # characters of a prompt; Stable Diffusion reads about 77 tokens
STEPS = 2, 1_000
SEEDS = 0, 2**63 - 1
SIZES = 8, 4_096  # pixels a side
CELLS = 256


@dataclass(frozen=True)
class ComparisonRequest:
    """Prompts x methods x seeds, how to denoise and to judge them.

    `methods` may be given as spellings, as `MethodSpec`s, or as a mapping of names to spellings or
    guidance values: `{"CFG": Constant(2), "mine": TwoPhase(late=5)}`. Raises InputError on what
    cannot be made.
    """

    prompts: Sequence[str]
    methods: tuple[MethodSpec, ...] = field(default_factory=lambda: make_specs(CORE))
    seeds: Sequence[int] = (0,)
    steps: int = 50
    scheduler: str = "ddim"
    spacing: str = ""  # of the timesteps; "" as the model says, else diffusers' own
    size: int | None = None  # pixels a side; None: the model's own
    model: str = "demo"
    dtype: str = ""  # that the model computes in; "" float16 on a GPU, float32 on a CPU
    corpus: str = "demo-10k"
    descriptor: str = "auto"
    clip: str = "auto"  # of the alignment: the model's own, one of `clip_choice.CHOICES`, a place
    signals: Sequence[str] = ()  # costly ones, by key
    keep: bool = False  # the latents, to go on from any step
    probe: bool = False  # record every method's magnitude along plain guidance too
    decoder: str = ""  # of the x0 estimates: a folder, a hub id, "own", "linear", or what is cheap
    look_every: int = 0  # steps between estimates that the model's own decodes all the same
    since: str = ""  # RUN:CELL, a kept cell to go on from instead of starting over

    def __post_init__(self) -> None:
        """Say what is wrong before anything is loaded."""
        object.__setattr__(self, "methods", make_specs(self.methods))
        for prompt in self.prompts:
            check_prompt(prompt)
        for seed in self.seeds:
            check_whole("The seed", seed, *SEEDS)
        check_whole("The number of steps", self.steps, *STEPS)
        check_whole("--look-every", self.look_every, 0, STEPS[1])
        check_some(self)
        if self.scheduler not in SCHEDULERS:
            raise InputError(
                f"No scheduler is named {self.scheduler!r}. Choose {', '.join(SCHEDULERS)}."
            )
        check_spacing(self.spacing)
        check_size(self.size)
        check_dtype(self.dtype)
        check(tuple(self.signals))
        if self.since and len(self.prompts) * len(self.methods) * len(self.seeds) != 1:
            raise InputError("Only one picture can go on from a kept one. Ask for one cell.")
        if self.probe and "cfg" not in [method.key for method in self.methods]:
            raise InputError("A probe goes along plain guidance. Add cfg to the methods.")

    def resolve_methods(self, defaults: Mapping[str, str]) -> tuple[MethodSpec, ...]:
        """The methods under a model whose own settings are `defaults`, spelled out by key."""
        return tuple(method.resolve(defaults) for method in self.methods)

    def cells(self, defaults: Mapping[str, str]) -> list[tuple[str, str, Guidance, int]]:
        """(prompt, method key, guidance, seed) of every cell, one seed after the other."""
        methods = [(method.key, method.guidance) for method in self.resolve_methods(defaults)]
        return [(p, *m, s) for p, s, m in product(self.prompts, self.seeds, methods)]

    def to_json(self, defaults: Mapping[str, str]) -> dict[str, Any]:
        """As run.json keeps it: methods spelled out in full."""
        return {each.name: getattr(self, each.name) for each in fields(self)} | {
            "prompts": list(self.prompts),
            "seeds": list(self.seeds),
            "signals": list(self.signals),
            "methods": [str(method) for method in self.resolve_methods(defaults)],
        }


def check_prompt(prompt: str) -> None:
    """A prompt has words in it, and not too many."""
    if not prompt.strip():
        raise InputError(
            "The prompt is empty. Type what the picture should show, or pick an example."
        )
    if len(prompt) > LONGEST:
        raise InputError(f"The prompt has {len(prompt):,} characters. Keep it under {LONGEST:,}.")


def check_whole(what: str, value: object, low: int, high: int) -> None:
    """A whole number within its range."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InputError(f"{what} is {value}. Give a whole number from {low} to {high}.")


def check_size(size: int | None) -> None:
    """Pixels a side that a latent diffusion model can have."""
    if size is not None:
        check_whole("The size", size, *SIZES)
        if size % SIZES[0]:
            raise InputError(f"The size is {size}. Give a multiple of {SIZES[0]}, in pixels.")


def check_some(ask: ComparisonRequest) -> None:
    """At least one cell, and no more than a run can hold."""
    for what in ("prompts", "methods", "seeds"):
        if not getattr(ask, what):
            raise InputError(f"There are no {what}. Give at least one.")
    cells = len(ask.prompts) * len(ask.methods) * len(ask.seeds)
    if cells > CELLS:
        raise InputError(
            f"That makes {cells} cells. Ask for at most {CELLS}: fewer seeds or methods."
        )
