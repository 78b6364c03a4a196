"""Cross-attention seen and edited through diffusers' attention processors, put back afterwards.

While it lasts, the attention over the prompt's tokens is computed in the open: logits, softmax,
values; for any batch, token count and number of heads. Self-attention is left as it is.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

EARLY = 2  # cross-attention layers on the way down whose maps show the bright ending


@dataclass
class AttentionRecorder:
    """What cross-attention looked at in the newest evaluations of the UNet.

    `tokens[pair]` (L,) is the share of attention on each token, a mean over heads, pixels and
    layers in float32; `maps[pair]` are the early layers' shares by pixel, (pixels, L) each.
    """

    tokens: dict[Hashable, Tensor] = field(default_factory=dict[Hashable, Tensor])
    maps: dict[Hashable, list[Tensor]] = field(default_factory=dict[Hashable, list[Tensor]])
    layers: list[Tensor] = field(default_factory=list[Tensor])  # (B, L) each, of one call
    early: list[Tensor] = field(default_factory=list[Tensor])  # (B, pixels, L) each, of one call

    def record(self, shares: Tensor, down: bool) -> None:
        """Note one layer's attention (B, heads, pixels, L)."""
        by_pixel = shares.float().mean(1)
        self.layers.append(by_pixel.mean(1))
        if down and len(self.early) < EARLY:
            self.early.append(by_pixel)

    def file(self, pairs: Sequence[Hashable]) -> None:
        """Put what one call showed under its pairs."""
        tokens = torch.stack(self.layers).mean(0)
        self.tokens |= dict(zip(pairs, tokens, strict=True))
        self.maps |= {pair: [m[i] for m in self.early] for i, pair in enumerate(pairs)}
        self.layers, self.early = [], []

    def clear(self) -> None:
        """Drop the step before."""
        self.tokens, self.maps = {}, {}


@dataclass(frozen=True)
class ExplicitAttention:
    """An attention processor with its logits in the open: edited row by row, then recorded."""

    edits: Sequence[Callable[[Tensor], Tensor] | None] = ()
    recorder: AttentionRecorder | None = None
    down: bool = False

    def __call__(
        self,
        attn: Any,  # noqa: ANN401 - diffusers' Attention
        hidden: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Attention of `hidden` (B, pixels, D), or (B, D, h, w), over the given states."""
        flat, shape = flatten_states(attn, hidden, temb)
        states = flat if encoder_hidden_states is None else encoder_hidden_states
        if encoder_hidden_states is not None and attn.norm_cross:
            states = attn.norm_encoder_hidden_states(states)
        q, k, v = (
            split_heads(f(s), attn.heads)
            for f, s in ((attn.to_q, flat), (attn.to_k, states), (attn.to_v, states))
        )
        logits = q.float() @ k.float().transpose(-1, -2) * attn.scale
        if attention_mask is not None:
            mask = attn.prepare_attention_mask(attention_mask, k.shape[2], len(k))
            logits = logits + mask.view(len(k), -1, *mask.shape[-2:])
        for i, edit in enumerate(self.edits):
            if edit:
                logits = torch.cat([logits[:i], edit(logits[i])[None], logits[i + 1 :]])
        shares = logits.softmax(-1)
        if self.recorder:
            self.recorder.record(shares, self.down)
        out = (shares.to(v.dtype) @ v).transpose(1, 2).flatten(2)
        out = attn.to_out[1](attn.to_out[0](out))
        if shape is not None:
            out = out.transpose(-1, -2).reshape(shape)
        out = out + hidden if attn.residual_connection else out
        return out / attn.rescale_output_factor


def flatten_states(
    attn: Any,  # noqa: ANN401 - diffusers' Attention
    hidden: Tensor,
    temb: Tensor | None,
) -> tuple[Tensor, torch.Size | None]:
    """The normed states as (B, pixels, D), and the shape to go back to if they were a picture."""
    flat = attn.spatial_norm(hidden, temb) if attn.spatial_norm is not None else hidden
    shape = flat.shape if flat.ndim == 4 else None
    flat = flat.flatten(2).transpose(1, 2) if shape is not None else flat
    if attn.group_norm is not None:
        flat = attn.group_norm(flat.transpose(1, 2)).transpose(1, 2)
    return flat, shape


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, n, heads * d) as (B, heads, n, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def is_cross(name: str) -> bool:
    """Whether a processor of this name attends to the prompt (diffusers' naming)."""
    return name.endswith("attn2.processor")


@contextmanager
def explicit_cross_attention(
    unet: Any,  # noqa: ANN401
    edits: Sequence[Callable[[Tensor], Tensor] | None] = (),
    recorder: AttentionRecorder | None = None,
) -> Iterator[None]:
    """Compute cross-attention in the open for a while, with one edit (or None) per row.

    An edit that has `layers`, as ("down", "mid"), is for those whose name begins so.
    """

    def make(name: str) -> ExplicitAttention:
        mine = [e if e and name.startswith(getattr(e, "layers", "")) else None for e in edits]
        return ExplicitAttention(mine, recorder, name.startswith("down"))

    with replace_processors(unet, make, is_cross):
        yield


@contextmanager
def explicit_attention(unet: Any) -> Iterator[None]:  # noqa: ANN401
    """Compute all attention in plain operations: fused kernels know no second derivative."""
    if not any(map(is_cross, unet.attn_processors)):  # a transformer attends to all at once
        with sdpa_kernel(SDPBackend.MATH):
            yield
        return
    with replace_processors(unet, lambda name: ExplicitAttention(), lambda name: True):
        yield


@contextmanager
def replace_processors(
    unet: Any,  # noqa: ANN401
    make: Callable[[str], Any],
    wanted: Callable[[str], bool],
) -> Iterator[None]:
    """Exchange the wanted attention processors, and put the own ones back whatever happens."""
    own = dict(unet.attn_processors)
    try:
        unet.set_attn_processor({n: make(n) if wanted(n) else p for n, p in own.items()})
        yield
    finally:
        unet.set_attn_processor(own)
