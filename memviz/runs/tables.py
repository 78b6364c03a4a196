"""A run as pandas tables, for people who go on from there."""

# The stubs of pyarrow leave these half typed.
# pyright: reportUnknownMemberType=false

from typing import TYPE_CHECKING

import pyarrow as pa

from memviz.runs.record import RunRecord

if TYPE_CHECKING:
    import pandas as pd

WHAT = ("prompt", "method", "seed")  # that identify a cell
FOUND = (
    *("similarity", "kind", "verdict", "alignment", "transition_timestep", "transition_kind"),
    *("estimated_timestep", "evaluations"),
)


def tabulate_cells(record: RunRecord) -> "pd.DataFrame":
    """One row per cell, indexed by its number.

    `spec` is the method with all its settings; `similarity` to the nearest training picture
    (-1 to 1), `kind` its verdict as a key and `verdict` in words; `alignment` CLIP's cosine of
    picture and prompt; `transition_timestep` where the method went over to its late scale;
    `estimated_timestep` the first minimum of the magnitude; `evaluations` of the UNet that the
    cell would have needed alone; `match` and `match_caption` the nearest training picture.
    """
    import pandas as pd

    rows = [
        {
            "cell": cell.number,
            **{name: getattr(cell, name) for name in WHAT},
            "spec": cell.spec,
            "state": cell.state.value,
            **{name: getattr(cell, name) for name in FOUND},
            "prompt_signal": cell.prompt_signal.kind if cell.prompt_signal else None,
            "match": cell.match.id if cell.match else None,
            "match_caption": cell.match.caption if cell.match else None,
        }
        for cell in record.cells
    ]
    return pd.DataFrame(rows).set_index("cell")


def tabulate_steps(record: RunRecord, table: pa.Table) -> "pd.DataFrame":
    """One row per cell and step; columns as `trace.SCHEMA` has them, those never recorded left out.

    Prompt, method and seed of the cell come first.
    """
    kept = [name for name in table.column_names if table[name].null_count < len(table)]
    steps = table.select(kept).to_pandas()
    cells = {cell.number: cell for cell in record.cells}
    for place, name in enumerate(WHAT, 1):
        steps.insert(place, name, [getattr(cells[number], name) for number in steps["cell"]])
    return steps
