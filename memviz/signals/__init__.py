"""The registry of per-step signals: what each is, what it costs and what high and low mean.

Free ones are always recorded. A costly one is asked for by key; `price` is the evaluations that it
adds to each row and step, where a pair of predictions is 2 and a gradient counts as one more.
A new signal is a new row, a column of `trace.SCHEMA` and a function.

May import `guidance`, `models` and what stands below them; this registry needs no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from memviz.errors import InputError
from memviz.guidance.base import Observation

WEN = "Wen et al., ICLR 2024, arXiv 2407.21720"
REN = "Ren et al., ECCV 2024, arXiv 2403.11052"
JEON = "Jeon et al., ICML 2025"
JAIN = "Jain et al., CVPR 2025, arXiv 2411.16738"


@dataclass(frozen=True)
class Instrument:
    """A row of the registry; `when` says at which steps a costly one pays its price.

    `seen`: known before a step is taken, so that a guidance rule may look at it.
    """

    label: str
    formula: str
    source: str
    high: str
    low: str
    price: int = 0
    free: bool = True
    when: str = "every step"
    seen: bool = True


SIGNALS: dict[str, Instrument] = {
    "magnitude": Instrument(
        "Magnitude", "‖f_c − f_∅‖₂, f the network's own output (ε or v)", WEN,
        "the prompt pulls hard, as memorized prompts do from the first step",
        "the prompt pulls as ordinary prompts do",
    ),
    "magnitude_mean": Instrument(
        "Mean magnitude", "(1/k) Σ ‖f_c − f_∅‖₂ over the first k steps", WEN,
        "looks memorized", "looks ordinary", seen=False,
    ),
    "magnitude_epsilon": Instrument(
        "Magnitude in epsilon", "‖ε_c − ε_∅‖₂", f"after {WEN}",
        "as the magnitude, but of v-prediction models early steps hardly count",
        "as the magnitude; the same for models that predict ε",
    ),
    "magnitude_unit": Instrument(
        "Magnitude per dimension", "‖f_c − f_∅‖₂ / √(C h w)", WEN,
        "as the magnitude, comparable between latent sizes", "as the magnitude",
    ),
    "cosine": Instrument(
        "Anisotropy cosine", "mean over space of cos(ε_c − ε_∅, ε_∅) over channels",
        "Asthana et al., ICLR 2026, arXiv 2601.20642",
        "the pull lies along the unconditional prediction", "the two are unrelated",
    ),
    "latent_change": Instrument(
        "Turn of the latents", "1 − cos(x_t, x_{t−1})", f"released code of {JAIN}",
        "the step turned the sample", "the sample keeps its direction", seen=False,
    ),
    "step_size": Instrument(
        "Step size", "‖x_t − x_{t−1}‖₂", "Broken Memories, KDD 2026, arXiv 2605.22050",
        "the sample jumps", "the sample rests", seen=False,
    ),
    "x0_change": Instrument(
        "Change of the x0 estimate", "‖x̂0_t − x̂0_{t−1}‖₂", "after Kim, arXiv 2509.25705",
        "the picture is still being decided", "the picture is settled", seen=False,
    ),
    "one_step": Instrument(
        "One-step score", "mean (x̂0(ε_c) − x_t)²", "Webster, arXiv 2305.08694",
        "one step already leaves the noise far behind", "one step leads nowhere yet",
    ),
    "agreement": Instrument(
        "Agreement of the seeds", "mean cosine of the pulls of other seeds of the prompt",
        "after Hintersdorf et al. (NeMo), NeurIPS 2024",
        "all seeds are pulled one way, as to one picture", "each seed goes its own way",
    ),
    "attention_entropy": Instrument(
        "Attention entropy", "−Σ ā_i log ā_i, ā the attention on each token", REN,
        "attention stays spread over the tokens, as for memorized prompts",
        "attention has settled on few tokens", free=False,
    ),
    "padding_entropy": Instrument(
        "Padding entropy", "−Σ ā_i log ā_i over the padding tokens", REN,
        "the padding is looked at, which memorized prompts do in the last steps",
        "the padding is ignored", free=False,
    ),
    "masked_magnitude": Instrument(
        "Bright-ending magnitude", "‖(ε_c − ε_∅) ∘ m‖₂ / mean m, m the last step's attention on "
        "the end token", "Chen et al. (Bright Ending), ICLR 2025",
        "the pull sits where the ending is bright: a copied part of the picture",
        "no part is copied", free=False, seen=False,
    ),
    "difference_change": Instrument(
        "Change of the pull", "‖d(x_t) − d(x_{t−1})‖², d = ε_c − ε_∅",
        "DSM of an ICML 2026 submission (randomnameforicml/icml-2026)",
        "the pull turns from step to step, as memorized prompts' does early",
        "the pull stays as it is", free=False, seen=False,
    ),
    "sharpness": Instrument(
        "Sharpness (difference)", "‖g‖ ‖g(x + δĝ) − g(x)‖ / δ (1 − ᾱ), g = ε_c − ε_∅", JEON,
        "the pull changes sharply along itself, as near a memorized picture", "it changes little",
        price=2, free=False,  # 4 where the model computes in half: the pull is made in single, too
    ),
    "sharpness_jvp": Instrument(
        "Sharpness (exact)", "‖∇g · g‖ / (1 − ᾱ), a Jacobian-vector product", JEON,
        "as above, without a step length", "it changes little", price=6, free=False,
    ),
}  # fmt: skip

COSTLY = tuple(key for key, row in SIGNALS.items() if not row.free)
SEEN = tuple(key for key, row in SIGNALS.items() if row.seen)
WATCHING = ("attention_entropy", "padding_entropy", "masked_magnitude")  # need the attention seen


def observe(t: int, row: Mapping[str, float | None]) -> Observation:
    """What a guidance rule may see of a step, out of all that is recorded of it."""
    return Observation(t, {k: value for k in SEEN if (value := row.get(k)) is not None})


def check(keys: tuple[str, ...]) -> None:
    """Raise ValueError on a key that is no costly signal."""
    for key in keys:
        if key not in COSTLY:
            raise InputError(f"No costly signal is named {key!r}. Choose {', '.join(COSTLY)}.")


def price(keys: tuple[str, ...]) -> str:
    """What recording these signals costs, in words."""
    extra = sum(SIGNALS[key].price for key in keys)
    shown = f"{extra} evaluations more for each row and step" if extra else "no more evaluations"
    slower = ", and attention computed in the open (slower)"
    return shown + (slower if set(keys) & set(WATCHING) else "")
