"""How well pictures follow their prompts, as a protocol prepares them.

Hessel et al., "CLIPScore", EMNLP 2021, here as the papers on copying report it: the plain cosine.
DCR (Somepalli et al., CVPR 2023) feeds CLIP with the tensors made for SSCD: short side 256, crop
224, mean and deviation 0.5, not CLIP's own. Its figure is therefore not that of other papers.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from memviz.errors import InputError
from memviz.retrieval.descriptors.preprocess import HALF, Preprocess

if TYPE_CHECKING:
    from memviz.retrieval.clip import Clip

PREPARATIONS = ("own", "dcr")


def prepared(clip: Clip, preparation: str) -> Clip:
    """The same model, fed as a protocol feeds it: `own`, or `dcr`."""
    if preparation == "own":
        return clip
    if preparation != "dcr":
        raise InputError(
            f"CLIP is prepared as {preparation!r}; choose one of {', '.join(PREPARATIONS)}."
        )
    other = copy(clip)
    other.preprocess = dcr_preprocess(clip.preprocess)
    return other


def dcr_preprocess(own: Preprocess) -> Preprocess:
    """DCR's 256/224 in proportion for a model that reads another size, bilinear, mean 0.5."""
    side = own.crop or 224
    return replace(
        own, mean=HALF, std=HALF, short_side=round(side * 256 / 224), crop=side, bicubic=False
    )


def clip_score(images: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """(N,) cosine of each picture's unit row with its prompt's."""
    if images.shape != texts.shape:
        raise InputError(f"Got {len(images)} pictures and {len(texts)} prompts; pair them.")
    return (images * texts).sum(1)
