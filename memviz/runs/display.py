"""A run in a notebook: its pictures side by side, each with its verdict."""

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from memviz.runs.record import CellRecord

if TYPE_CHECKING:
    from memviz.runs.store import Run

MOST = 32  # cells that are shown
SIDE = 128  # pixels of a picture


def render_run(run: "Run") -> str:
    """The first cells as HTML that needs nothing else; whatever a person typed is escaped."""
    record = run.record
    cells = "".join(render_cell(run, cell) for cell in record.cells[:MOST])
    more = len(record.cells) - MOST
    rest = f"<p>and {more} cells more</p>" if more > 0 else ""
    return (
        f"<p><b>{escape(record.title)}</b>: {len(record.cells)} cells, {record.request.steps} "
        f"steps of {escape(record.request.scheduler)}, {escape(record.model.name)}; "
        f"{record.state.value}</p>"
        f'<div style="display: flex; flex-wrap: wrap; gap: 12px">{cells}</div>{rest}'
    )


def render_cell(run: "Run", cell: CellRecord) -> str:
    """One picture beside its nearest training image, and what is said of it."""
    shown = [path for path in (cell.image, cell.match and cell.match.image) if path]
    pictures = "".join(embed_picture(run, path, cell.prompt) for path in shown)
    said = cell.verdict or cell.state.value
    if cell.similarity is not None:
        said += f" ({cell.similarity:.2f})"
    label = f"{escape(cell.label)}, seed {cell.seed}"
    caption = f"<figcaption>{label}<br>{escape(said)}</figcaption>"
    return f'<figure style="margin: 0">{pictures}{caption}</figure>'


def embed_picture(run: "Run", path: str, alt: str) -> str:
    """A picture of the run inside the page."""
    from PIL import Image

    kept = io.BytesIO()
    with Image.open(run.folder / path) as image:
        small = image.convert("RGB")
        small.thumbnail((SIDE, SIDE))
        small.save(kept, "PNG")
    data = base64.b64encode(kept.getvalue()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}">'
