"""The demo's tokenizer and text encoder: CLIP's classes with the captions' own vocabulary."""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from memviz.demo import scenes

LENGTH = 24  # tokens of a prompt, start and end included
END = "</w>"


def tokenizer(words: Iterable[str]) -> CLIPTokenizer:
    """A byte-level CLIP tokenizer in which each of `words` is one token; other text is spelled."""
    letters = sorted(ByteLevel.alphabet())
    merges = list(dict.fromkeys(m for word in sorted(set(words)) for m in chain(word)))
    pieces = letters + [c + END for c in letters] + ["".join(m) for m in merges]
    vocabulary = {p: i for i, p in enumerate(dict.fromkeys(pieces))}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def chain(word: str) -> list[tuple[str, str]]:
    """The merges that build a word letter by letter from its end: the suffix grows by one."""
    parts = [*word[:-1], word[-1] + END]
    merges = []
    while len(parts) > 1:
        merges.append((parts[-2], parts[-1]))
        parts[-2:] = ["".join(parts[-2:])]
    return merges


def encoder(tokens: CLIPTokenizer, width: int = 128, layers: int = 3) -> CLIPTextModel:
    """An untrained CLIP text model for this tokenizer."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokens),
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            bos_token_id=tokens.bos_token_id,
            eos_token_id=tokens.eos_token_id,
            pad_token_id=tokens.pad_token_id,
        )
    )


def ids(tokens: CLIPTokenizer, captions: Sequence[str]) -> torch.Tensor:
    """Token ids (B, 24), padded with the end token as Stable Diffusion's are."""
    return tokens(
        list(captions),
        padding="max_length",
        truncation=True,
        max_length=LENGTH,
        return_tensors="pt",
    ).input_ids


def vocabulary(sprites: Path) -> list[str]:
    """Every word that a caption of the demo world can hold."""
    rest = ("a", "an", "and", "on", "with", "background")
    return [*scenes.names(sprites), *scenes.COLOURS, *scenes.STYLES, *scenes.PRODUCTS, *rest]
