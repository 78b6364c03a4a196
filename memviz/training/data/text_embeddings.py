"""Captions as text embeddings, with the augmentations of DCR and a share left out.

Somepalli et al., Understanding and Mitigating Copying in Diffusion Models, NeurIPS 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from memviz.training.data import cache

if TYPE_CHECKING:
    from memviz.training.config import Config


class Texts:
    """Embeddings of a corpus' captions; the empty caption is always among them."""

    def __init__(
        self,
        pipe: Any,  # noqa: ANN401
        captions: Sequence[str],
        config: Config,
        key: str,
        note: cache.Note,
    ) -> None:
        self.pipe, self.config = pipe, config
        self.known = {text: row for row, text in enumerate(dict.fromkeys(["", *captions]))}
        self.kept = None
        if not config.text_encoder:
            texts = [*self.known]
            self.kept = cache.rows(
                f"texts-{key}",
                len(texts),
                lambda a, b: self.encode(texts[a:b]).float().cpu().numpy(),
                note,
            )

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """(B, L, D); those that are kept are looked up, the others encoded."""
        if self.kept is None:
            return self.encode(captions)
        rows = [self.known.get(text) for text in captions]
        found = torch.from_numpy(self.kept[[row or 0 for row in rows]])
        found = found.to(self.pipe.device, torch.float32)
        if new := [i for i, row in enumerate(rows) if row is None]:
            found[new] = self.encode([captions[i] for i in new])
        return found

    def encode(self, captions: Sequence[str]) -> Tensor:
        """(B, L, D), with gradients only where the text encoder is trained."""
        with torch.set_grad_enabled(self.config.text_encoder):
            return self.pipe.encode_prompt(list(captions), self.pipe.device, 1, False)[0]

    def varied(self, captions: Sequence[Sequence[str]], rng: np.random.Generator) -> list[str]:
        """One caption for each picture from those it has, augmented and left out as asked."""
        words = Words(self.pipe.tokenizer, rng)
        found = [self.augmented(texts, words) for texts in captions]
        left_out = rng.random(len(found)) < self.config.empty
        return ["" if out else text for text, out in zip(found, left_out, strict=True)]

    def augmented(self, texts: Sequence[str], words: Words) -> str:
        """A picture's caption, changed in a share of the cases."""
        config, draw = self.config, words.rng
        text = str(draw.choice(list(texts))) if len(texts) > 1 else texts[0]
        if config.captions in ("given", "allcaps") or draw.random() >= config.captions_share:
            return text
        match config.captions:
            case "randrepl":
                return words.some(4)
            case "randwordadd":
                return words.inserted(words.inserted(text, words.some(1)), words.some(1))
            case _:
                return words.inserted(text, str(draw.choice(text.split(" "))))

    def disturbed(self, text: Tensor, rng: np.random.Generator) -> Tensor:
        """DCR's noise on the embeddings (B, L, D)."""
        if self.config.embedding_noise:
            text = text + self.config.embedding_noise * torch.randn(text.shape).to(text)
        if self.config.embedding_mixup:
            share = rng.beta(self.config.embedding_mixup, 1)
            text = share * text + (1 - share) * text[torch.from_numpy(rng.permutation(len(text)))]
        return text


class Words:
    """Random words of a tokenizer."""

    def __init__(self, tokenizer: Any, rng: np.random.Generator) -> None:  # noqa: ANN401
        self.tokenizer, self.rng = tokenizer, rng
        self.usable = len(tokenizer) - 2  # the last two begin and end a text

    def some(self, n: int) -> str:
        """n random tokens as text."""
        return self.tokenizer.decode(self.rng.integers(0, self.usable, n).tolist())

    def inserted(self, text: str, word: str) -> str:
        """The text with a word at a random place."""
        words = text.split(" ")
        words.insert(self.rng.integers(0, len(words) + 1), word)
        return " ".join(words)
