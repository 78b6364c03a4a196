"""Parts to a whole index: vectors, items, background, duplicates, problems, and lists if large."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from memviz.io import atomic
from memviz.io.versions import versions
from memviz.retrieval.index.background import LINKS, groups, others, raise_level
from memviz.retrieval.index.index import LISTS, Index, Manifest, manifest, write_manifest
from memviz.retrieval.index.parts import Parts

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.retrieval.descriptors.descriptor import Descriptor

LIBRARIES = ("torch", "faiss-cpu", "pillow", "numpy")  # that a vector depends on


def assemble(
    corpus: Corpus, descriptor: Descriptor, parts: Parts, numbers: range, out: Path, exact: bool
) -> None:
    """Put the index in the place of the old one."""
    with atomic.folder(out) as new:
        counts = join(parts, numbers, new, descriptor.preset.dims)
        told = {"created": _now(), "versions": versions(LIBRARIES)}
        made = manifest(corpus, descriptor, counts["readable"], **told)
        index = _with_lists(made, new, exact)
        within, level = compare_within(index, new, descriptor.preset.duplicate)
        write_manifest(replace(index.manifest, counts=counts | within, duplicate=level), new)


def join(parts: Parts, numbers: range, new: Path, dims: int) -> dict[str, int]:
    """vectors.npy, ids.npy, items.parquet and problems.json; a part in memory at a time."""
    import pyarrow.parquet as pq

    from memviz.retrieval.index.items import SCHEMA

    count = sum(len(vectors) for _, vectors in parts.read(numbers))
    mode = {"mode": "w+", "dtype": np.float16, "shape": (count, dims)}
    rows = np.lib.format.open_memmap(new / "vectors.npy", **mode)
    ids, problems, at = [], [], 0
    with pq.ParquetWriter(new / "items.parquet", SCHEMA) as writer:
        for table, vectors in parts.read(numbers):
            writer.write_table(table)
            rows[at : at + len(vectors)] = vectors
            at += len(vectors)
            told = table.select(["id", "place", "problem", "note"]).to_pylist()
            ids += [row["id"] for row in told if not row["problem"]]
            problems += [row for row in told if row["problem"] or row["note"]]
    rows.flush()
    np.save(new / "ids.npy", np.array(ids, np.int64))
    atomic.json(new / "problems.json", problems)
    unreadable = sum(bool(row["problem"]) for row in problems)
    return {"readable": count, "unreadable": unreadable, "noted": len(problems) - unreadable}


def _with_lists(made: Manifest, new: Path, exact: bool) -> Index:
    """The index to look through; large ones get an inverted file."""
    from memviz.retrieval.index import engines

    stored = np.load(new / "vectors.npy", mmap_mode="r")
    ids = np.load(new / "ids.npy")
    how = "Flat" if exact else engines.recipe(len(stored), made.dims)
    if how == "Flat":
        return Index(made, stored, ids)
    import faiss

    faiss.write_index(engines.train(stored, how), str(new / LISTS))
    made = replace(made, recipe=how, probes=engines.probes(len(stored)))
    return Index(made, stored, ids, new / LISTS)


def compare_within(index: Index, new: Path, least: float) -> tuple[dict[str, int], float]:
    """background.npy, nearest.npy (id of the nearest other) and duplicates.json.

    `least` is the similarity from which the descriptor's preset speaks of duplicates. Returns
    counts, and the similarity from which this corpus' are.
    """
    nulls, nearest, links, values = [], [], [], []
    for start, found, rows in others(index.engine.search, _Unit(index.stored), LINKS):
        nulls.append(found[:, 0].astype(np.float16))
        nearest.append(np.where(rows[:, 0] < 0, -1, index.ids[rows[:, 0]]))
        row, place = np.nonzero(found >= least)
        links.append(np.stack([start + row, rows[row, place]], axis=1))
        values.append(found[row, place])
    np.save(new / "background.npy", np.concatenate(nulls or [np.zeros(0, np.float16)]))
    np.save(new / "nearest.npy", np.concatenate(nearest or [np.zeros(0, np.int64)]))
    links = np.concatenate(links or [np.zeros((0, 2), np.int64)])
    values = np.concatenate(values or [np.zeros(0, np.float32)])
    found = groups(links, values, index.stored, least)
    level = raise_level(links, values, found, len(index), least)
    if level > least:
        found = groups(links[values >= level], values[values >= level], index.stored, level)
    told = [[int(index.ids[row]) for row in group] for group in found]
    atomic.json(new / "duplicates.json", told)
    return {"duplicate_groups": len(told), "duplicated_images": sum(map(len, told))}, level


class _Unit:
    """Stored rows as unit float32 where they are sliced."""

    def __init__(self, stored: np.ndarray) -> None:
        self._stored = stored

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, rows: slice) -> np.ndarray:
        from memviz.retrieval.index.engines import unit

        return unit(self._stored[rows])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
