"""The trace of a run: one tidy table, one row per cell and step, and what follows from it."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from memviz.guidance import Guidance, Signal, Transition, first_minimum

SCHEMA = pa.schema(
    [
        ("cell", pa.int32()),
        ("step", pa.int32()),  # index of the model call, 0 is the noisiest
        ("t", pa.int32()),  # training timestep, 999 to 0
        ("magnitude", pa.float32()),  # epsilon units
        ("magnitude_mean", pa.float32()),  # over the steps so far
        ("scale", pa.float32()),
        ("cosine", pa.float32()),
        ("latent_change", pa.float32()),
        ("x0_change", pa.float32()),
        ("similarity", pa.float32()),  # of the x0 estimate to its nearest corpus image
        ("nearest", pa.int32()),  # that image's id
        ("similarity_final", pa.float32()),  # of the x0 estimate to the final match
    ]
)


def save(table: pa.Table, path: Path) -> None:
    """Write aside, then rename: never half a file."""
    part = path.with_name(path.name + ".part")
    pq.write_table(table, part)
    part.replace(path)


def load(path: Path) -> pa.Table:
    """Read a trace; ValueError if the file is something else."""
    table = pq.read_table(path)
    if not set(SCHEMA.names[:6]) <= set(table.column_names):
        raise ValueError(
            f"{path} is not a trace: has {table.column_names}, expected {SCHEMA.names}."
        )
    return table


def signals(table: pa.Table, cell: int) -> list[Signal]:
    """What a method would have seen of one cell, in order."""
    rows = table.filter(pc.equal(table["cell"], cell)).select(["t", "magnitude"])
    return [Signal(r["t"], r["magnitude"]) for r in rows.to_pylist()]


def estimated(seen: Sequence[Signal]) -> int | None:
    """The estimated transition: the step of the magnitude's first local minimum, if any."""
    return first_minimum([s.magnitude for s in seen])


def replay(guidance: Guidance, seen: Sequence[Signal]) -> Transition | None:
    """Where a method would have switched on this trace.

    Exact up to that method's own transition; after it the trajectory would have been another.
    """
    return guidance.transition(seen)
