"""Words of the field, explained where they stand: a `?` opens the sentence, Escape closes it."""

from html import escape
from itertools import count

MEANINGS = {
    "scale": "How strongly the prompt pulls at a step: 0 ignores it, 1 follows it plainly, more "
    "exaggerates it, and a negative scale moves away from it.",
    "shape": "How the scale goes from its first to its last value: constant (static), or along a "
    "line or a curve over the steps.",
    "timestep": "The clock of denoising: about 1000 is pure noise and 0 the finished picture. A "
    "run of 50 steps visits every twentieth timestep.",
    "transition": "The moment at which a method begins to follow the prompt. Before it the picture "
    "can still become something else than a training image.",
    "seed": "The number that the starting noise is drawn from: the same seed is the same noise "
    "under every method.",
    "magnitude": "How far the prompt moves the model's prediction at a step. Prompts learned by "
    "heart move it further than ordinary ones.",
    "similarity": "How like its nearest training image a picture is to the copy detector: 1 is the "
    "same picture. Unrelated pictures are rarely near 0, so read it against the copy mark.",
    "descriptor": "The network that compares pictures: it turns each into numbers that stay alike "
    "for copies, also cropped or recolored ones.",
}
_numbers = count()


def explain(*words: str) -> str:
    """The words with a `?` each, as markup."""
    return f'<p class="mv-help">{" ".join(map(_entry, words))}</p>'


def _entry(word: str) -> str:
    name = f"mv-word-{next(_numbers)}"
    return (
        f'<button type="button" popovertarget="{name}" aria-label="What is {escape(word)}?">'
        f"{escape(word)} <b>?</b></button>"
        f'<span popover id="{name}"><b>{escape(word.capitalize())}.</b> '
        f"{escape(MEANINGS[word])}</span>"
    )
