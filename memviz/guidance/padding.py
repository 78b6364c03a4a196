"""The padding of a prompt made harmless: other tokens in its place, or embeddings of zero.

Memorization in Stable Diffusion is unexpectedly driven by CLIP embeddings, CVPR 2026,
https://arxiv.org/abs/2605.02908, as its released experiments do it: Stable Diffusion 1 pads with
the end token, whose embeddings repeat the prompt; with `!`, token 0, as Stable Diffusion 2 pads,
they do not. The empty prompt is padded the same way, since the tokenizer is changed for both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.errors import InputError
from memviz.guidance.mitigation import FullScale, Row
from memviz.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Conditioning, Denoiser, NoiseLevel
    from memviz.models.protocols import Pipe

PAD = "!"
MODES = ("pad", "end", "share")
SEVERAL = (
    "The padding fix is defined for the one text encoder of Stable Diffusion 1 and 2; this model "
    "reads its prompt with several. Leave pad out."
)


@dataclass(frozen=True)
class PaddingFix(FullScale):
    """Plain guidance by a prompt whose padding does not repeat it; it costs no evaluation.

    Modes: `pad` pads with `!`; `end` zeroes the end token's embedding, too (the paper's main
    method); `share` zeroes that share of the usual padding and leaves the empty prompt alone.
    arXiv 2605.02908, CVPR 2026.
    """

    mode: str = setting("end", "what is changed", choices=MODES)
    share: float = setting(0.7, "of the padding that is zeroed in mode share", 0, 1)

    def refuse(self, pipe: "Pipe") -> str:
        """There must be one text encoder, whose padding is known."""
        from memviz.models.network import is_flow, is_wide

        return SEVERAL if is_flow(pipe) or is_wide(pipe) else ""

    def begin(self, denoiser: "Denoiser", rows: Sequence[Row], level: "NoiseLevel") -> list[Row]:
        """Exchange both conditions; rows of one prompt go on sharing theirs."""
        made: dict[str, Conditioning] = {}

        def change(prompt: str, usual: "Conditioning") -> "Conditioning":
            if prompt not in made:
                embedding = self.embed(denoiser, prompt, usual.embedding)
                made[prompt] = replace(usual, embedding=embedding)
            return made[prompt]

        return [
            replace(row, uncond=change("", row.uncond), cond=change(row.prompt, row.cond))
            for row in rows
        ]

    def embed(self, denoiser: "Denoiser", prompt: str, usual: "Tensor") -> "Tensor":
        """The embedding (L, D) that the UNet reads instead of the usual one."""
        from memviz.models.tokens import encode_with_padding, end_token

        end = end_token(denoiser.pipe, prompt)
        if self.mode == "share":
            count = int(self.share * (len(usual) - end - 1)) if prompt else 0
            return zero_rows(usual, end + 1, end + 1 + count)
        tokenizer = denoiser.pipe.tokenizer
        pad = tokenizer.get_vocab().get(PAD)
        if pad is None:
            raise InputError(f"The tokenizer of this model has no token {PAD!r} to pad with.")
        found = encode_with_padding(denoiser.pipe, prompt, pad)
        return zero_rows(found, end, end + 1) if self.mode == "end" and prompt else found


def zero_rows(embedding: "Tensor", first: int, last: int) -> "Tensor":
    """The same with its rows from `first` to before `last` zero."""
    changed = embedding.clone()
    changed[first:last] = 0
    return changed
