"""The tokens that a text encoder reads of a prompt."""

import torch
from torch import Tensor

from memviz.models.protocols import Pipe


def end_token(pipe: Pipe, prompt: str) -> int:
    """The place of the prompt's end token; the padding begins after it."""
    tokenizer = pipe.tokenizer
    ids = tokenizer(prompt, truncation=True, max_length=tokenizer.model_max_length).input_ids
    return ids.index(tokenizer.eos_token_id)


def tokens(pipe: Pipe, prompt: str) -> list[str]:
    """The prompt's tokens as text, from the begin token to the end token."""
    tokenizer = pipe.tokenizer
    ids = tokenizer(prompt, truncation=True, max_length=tokenizer.model_max_length).input_ids
    ids = ids[: ids.index(tokenizer.eos_token_id) + 1]
    return [text.removesuffix("</w>") for text in tokenizer.convert_ids_to_tokens(ids)]


def encode_with_padding(pipe: Pipe, prompt: str, pad: int) -> Tensor:
    """The embedding (L, D) of a prompt whose places after the end token hold the token `pad`."""
    tokenizer, encoder = pipe.tokenizer, pipe.text_encoder
    length, end = tokenizer.model_max_length, end_token(pipe, prompt)
    ids = tokenizer(prompt, truncation=True, max_length=length).input_ids[: end + 1]
    ids += [pad] * (length - len(ids))
    return encoder(torch.tensor([ids], device=pipe.device))[0][0]
