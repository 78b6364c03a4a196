"""What a folder of pictures is worth beside its copies: its fit to the prompts, and its FID."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from memviz.data.corpus import bundled
from memviz.errors import InputError
from memviz.evaluation.judges import clip_judge, corpus_features, inception_judge
from memviz.evaluation.metrics.clip_score import clip_score
from memviz.evaluation.metrics.frechet import frechet_distance, moments
from memviz.retrieval.clip_choice import DEMO, NAMES
from memviz.statistics import estimate_mean

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.evaluation.judges import Judge
    from memviz.retrieval.clip import Clip

FEW = 5_000  # pictures below which FID says more of their number than of them


def check_clip(name: str, corpus: Corpus) -> None:
    """Refuse the demo's CLIP for pictures of another corpus."""
    places = [place.resolve() for place in bundled().values()]
    if name == DEMO and Path(corpus.place).resolve() not in places:
        raise InputError(
            f"The demo's CLIP knows the demo's scenes, not {corpus.name}. Give {', '.join(NAMES)}, "
            "a folder or a hub id."
        )


def measure_alignment(pictures: Corpus, clip: Clip) -> dict[str, Any]:
    """Mean cosine of the pictures that have a prompt with it, and its interval over prompts."""
    ids, rows = corpus_features(clip_judge(clip, "own"), pictures, None)
    prompts = [pictures.caption(id) for id in ids]
    named = [row for row, prompt in enumerate(prompts) if prompt]
    if not named:
        raise InputError(f"{pictures.name} has no prompts for --clip. Put a .txt beside each.")
    texts = [prompts[row] for row in named]
    scores = clip_score(rows[named], np.concatenate([clip.texts([text]) for text in texts]))
    return {"model": clip.path, "pictures": len(named), **estimate_mean(scores, texts).to_json()}


def measure_fid(pictures: Corpus, corpus: Corpus, judge: Judge | None = None) -> dict[str, Any]:
    """FID of the pictures to those of the corpus, as torch-fidelity prepares them."""
    judge = judge or inception_judge("fid")
    mine, theirs = (corpus_features(judge, each, None)[1] for each in (pictures, corpus))
    return {
        "value": frechet_distance(moments([mine]), moments([theirs])),
        "pictures": len(mine),
        "corpus": len(theirs),
        "few": min(len(mine), len(theirs)) < FEW,
    }
