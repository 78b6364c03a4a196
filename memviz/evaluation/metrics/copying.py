"""How near pictures come to others: to the whole corpus, to their own training pictures, or to the
picture that the same noise gives without a mitigation.

Vectors are unit rows (N, D) of a descriptor; similarities are their inner products, in [-1, 1].
Summaries under DCR's names (Somepalli et al., CVPR 2023) are in `retrieval.dcr_statistics`.
"""

from collections.abc import Sequence

import numpy as np

from memviz.errors import InputError

COPY = 0.5  # from which DCR, AMG and MemBench speak of a copy


def top_similarity(queries: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(N,) similarity of each query to the nearest of all references (M, D), by exact search."""
    import faiss

    if not len(references):
        raise InputError("There is nothing to compare with: give at least one reference picture.")
    index = faiss.IndexFlatIP(references.shape[1])
    index.add(np.ascontiguousarray(references, np.float32))
    return index.search(np.ascontiguousarray(queries, np.float32), 1)[0][:, 0]


def own_similarity(
    queries: np.ndarray, references: np.ndarray, own: Sequence[Sequence[int]]
) -> np.ndarray:
    """(N,) similarity to the nearest of a query's own references; nan where it has none.

    `own[i]` are rows of `references`: the training pictures of query i's prompt. Wen et al. and
    MemBench take the maximum over them.
    """
    pairs = zip(queries, own, strict=True)
    found = [
        float((references[list(rows)] @ q).max()) if len(rows) else np.nan for q, rows in pairs
    ]
    return np.array(found, np.float32)


def pair_similarity(queries: np.ndarray, references: np.ndarray) -> np.ndarray:
    """(N,) similarity of each query to its own reference: the unmitigated picture of its noise."""
    if queries.shape != references.shape:
        raise InputError(
            f"Got vectors of shape {queries.shape} and {references.shape}; give one each."
        )
    return (queries * references).sum(1)


def by_prompt(values: np.ndarray, prompts: Sequence[int]) -> list[np.ndarray]:
    """The values of each prompt, in the order of first appearance; `prompts[i]` is value i's."""
    rows: dict[int, list[int]] = {}
    for row, prompt in enumerate(prompts):
        rows.setdefault(prompt, []).append(row)
    return [np.asarray(values)[at] for at in rows.values()]


def prompt_maximum(values: np.ndarray, prompts: Sequence[int]) -> np.ndarray:
    """(P,) the worst picture of each prompt."""
    return np.array([part.max() for part in by_prompt(values, prompts)])


def prompt_top(values: np.ndarray, prompts: Sequence[int], count: int = 3) -> np.ndarray:
    """(P,) mean of the `count` worst pictures of each prompt (MemBench: Top-3), or of all."""
    return np.array([np.sort(part)[-count:].mean() for part in by_prompt(values, prompts)])
