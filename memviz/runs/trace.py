"""The trace of a run: one tidy table, one row per cell and step, and what follows from it."""

# The stubs of pyarrow leave these half typed.
# pyright: reportUnknownMemberType=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from memviz.guidance.base import Guidance, Observation, Transition
from memviz.guidance.first_minimum import first_minimum, prominent_minimum
from memviz.io.atomic import written
from memviz.io.read import DamagedFile, read_table
from memviz.signals import observe

SCHEMA = pa.schema(
    [
        ("cell", pa.int32()),
        ("step", pa.int32()),  # index of the model call, 0 is the noisiest
        ("t", pa.int32()),  # training timestep, 999 to 0
        ("magnitude", pa.float32()),  # of the network's own output
        ("magnitude_mean", pa.float32()),  # over the steps so far
        ("scale", pa.float32()),
        ("cosine", pa.float32()),
        ("latent_change", pa.float32()),
        ("x0_change", pa.float32()),
        ("similarity", pa.float32()),  # of the x0 estimate to its nearest corpus image
        ("nearest", pa.int32()),  # that image's id
        ("similarity_final", pa.float32()),  # of the x0 estimate to the final match
        ("magnitude_unit", pa.float32()),  # per square root of the latents' dimensions
        ("magnitude_epsilon", pa.float32()),  # in epsilon units; none in runs of before
        ("step_size", pa.float32()),
        ("one_step", pa.float32()),
        ("agreement", pa.float32()),
        ("magnitude_cfg", pa.float32()),  # the magnitude of the same seed under plain guidance
        ("attention_entropy", pa.float32()),  # from here on: what was asked for
        ("padding_entropy", pa.float32()),
        ("masked_magnitude", pa.float32()),
        ("difference_change", pa.float32()),
        ("sharpness", pa.float32()),
        ("sharpness_jvp", pa.float32()),
        ("attention", pa.list_(pa.float32())),  # share on each token of the prompt
    ]
)


def save(table: pa.Table, path: Path) -> None:
    """Put a trace in place of the old one."""
    with written(path) as part:
        pq.write_table(table, part)


def load(path: Path) -> pa.Table:
    """Read a trace; DamagedFile if the file is something else."""
    table = read_table(path)
    if not set(SCHEMA.names[:6]) <= set(table.column_names):
        raise DamagedFile(
            f"{path} is not a trace: has {table.column_names}, expected {SCHEMA.names}."
        )
    return table


@dataclass(frozen=True)
class CellTrace:
    """The trace of one cell: a value per step and column; None where a signal was not recorded."""

    columns: Mapping[str, list[Any]]

    @property
    def observations(self) -> list[Observation]:
        """What a method would have seen, in order."""
        return [observe(self.columns["t"][i], self.row(i)) for i in range(len(self.columns["t"]))]

    def row(self, step: int) -> dict[str, Any]:
        """All values of a step."""
        return {name: values[step] for name, values in self.columns.items()}


def split_cells(table: pa.Table) -> dict[int, CellTrace]:
    """The trace of each cell by its number, in the order of the steps."""
    columns = table.sort_by([("cell", "ascending"), ("step", "ascending")]).to_pydict()
    cells = columns["cell"]
    starts = [i for i, cell in enumerate(cells) if not i or cell != cells[i - 1]]
    ends = [*starts[1:], len(cells)]
    return {
        cells[start]: CellTrace({name: values[start:end] for name, values in columns.items()})
        for start, end in zip(starts, ends, strict=False)
    }


def estimated(seen: Sequence[Observation]) -> int | None:
    """The estimated transition: the step of the magnitude's first local minimum, if any."""
    return first_minimum([s.magnitude for s in seen])


def prominent(seen: Sequence[Observation]) -> int | None:
    """The step of the magnitude's first prominent minimum, if any."""
    return prominent_minimum([s.magnitude for s in seen])


def replay(guidance: Guidance, seen: Sequence[Observation]) -> Transition | None:
    """Where a method would have switched on this trace.

    Exact up to that method's own transition; after it the trajectory would have been another.
    """
    return guidance.transition(seen)
