"""Perturbations of the prompt: words added at random, or noise on its embedding.

Somepalli et al., Understanding and Mitigating Copying in Diffusion Models, NeurIPS 2023 (DCR,
Apache-2.0): random token addition (RTA), caption word repetition (CWR), random number addition
(RNA), Gaussian noise on both embeddings (GNI). Each draws from the sample's own seed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel

REPEATS = "how many words are added"


def added(prompt: str, seed: int, repeats: int, word: Callable[[random.Random], str]) -> str:
    """The prompt with words put in at random places."""
    draw, words = random.Random(seed), prompt.split()
    for _ in range(repeats):
        words.insert(draw.randint(0, len(words)), word(draw))
    return " ".join(words)


def reworded(denoiser: "Denoiser", rows: Sequence[Row], change: Callable[[Row], str]) -> list[Row]:
    """The rows with other prompts."""
    prompts = [change(row) for row in rows]
    found = zip(rows, prompts, denoiser.encode(prompts), strict=True)
    return [replace(row, prompt=p, cond=c) for row, p, c in found]


def vocabulary(tokenizer: Any) -> list[str]:  # noqa: ANN401
    """The plain words among the tokens, in the order of their ids."""
    special = set(tokenizer.all_special_ids)
    by_id = sorted((i, token) for token, i in tokenizer.get_vocab().items() if i not in special)
    whole = [token.removesuffix("</w>") for _, token in by_id if token.endswith("</w>")]
    return [word for word in whole if word.isascii() and word.isalnum()]


@dataclass(frozen=True)
class RandomTokens(FullScale):
    """Plain guidance by a prompt with words of the tokenizer put in at random.

    RTA of Somepalli et al., NeurIPS 2023, https://arxiv.org/abs/2305.20086 (`repeats` is 4 there).
    """

    repeats: int = setting(4, REPEATS, 0, 50)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the prompts."""
        known, n = vocabulary(denoiser.pipe.tokenizer), self.repeats

        def pick(draw: random.Random) -> str:
            return draw.choice(known)

        return reworded(denoiser, rows, lambda r: added(r.prompt, r.seed, n, pick))


@dataclass(frozen=True)
class WordRepetition(FullScale):
    """Plain guidance by a prompt some words of which are said again at random places.

    CWR of Somepalli et al., NeurIPS 2023, https://arxiv.org/abs/2305.20086 (`repeats` is 4 there).
    """

    repeats: int = setting(4, REPEATS, 0, 50)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the prompts."""

        def change(row: Row) -> str:
            said = row.prompt.split()
            return added(row.prompt, row.seed, self.repeats, lambda draw: draw.choice(said))

        return reworded(denoiser, rows, change)


@dataclass(frozen=True)
class RandomNumbers(FullScale):
    """Plain guidance by a prompt with numbers below 100,000 put in at random.

    RNA of Somepalli et al., NeurIPS 2023, https://arxiv.org/abs/2305.20086 (`repeats` is 4 there).
    """

    repeats: int = setting(4, REPEATS, 0, 50)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange the prompts."""
        n = self.repeats

        def number(draw: random.Random) -> str:
            return str(draw.randrange(100_000))

        return reworded(denoiser, rows, lambda r: added(r.prompt, r.seed, n, number))


@dataclass(frozen=True)
class EmbeddingNoise(FullScale):
    """Plain guidance with Gaussian noise on the prompt's embedding and on the empty one's: e + s n.

    GNI of Somepalli et al., NeurIPS 2023, https://arxiv.org/abs/2305.20086 (s is 0.1 there).
    """

    strength: float = setting(0.1, "standard deviation of the noise on both embeddings", 0, 10)

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange both conditions."""
        return [self.noisy(row) for row in rows]

    def noisy(self, row: Row) -> Row:
        """One row with its own draws."""
        import torch

        generator = torch.Generator().manual_seed(row.seed)

        def changed(condition: "Conditioning") -> "Conditioning":
            clean = condition.embedding
            noise = torch.randn(clean.shape, generator=generator).to(clean)
            return replace(condition, embedding=clean + self.strength * noise)

        return replace(row, uncond=changed(row.uncond), cond=changed(row.cond))
