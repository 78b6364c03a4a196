"""The study of IET-AGC on the demo as it is shipped: figures, table and model.

`assets/demo/iet_agc.json` holds what `reproduce` found, `docs/training.md` the same as a table, and
`assets/demo/unet-iet-agc` the UNet of its IET-AGC mode.
"""

from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import Any

from memviz.io import atomic, paths
from memviz.io.marks import replace_between
from memviz.statistics import format_estimate

PAGE = "training.md"
BEGIN, END = "<!-- iet-agc -->", "<!-- /iet-agc -->"
MODES = ("plain", "iet", "agc", "iet_agc")  # in the order in which they are read
COLUMNS = {
    "copied": "copied",
    "similarity_mean": "similarity",
    "similarity_95pc": "its 95 %",
    "alignment": "alignment",
    "frechet": "Fréchet",
    "skip_duplicated": "skipped, duplicated",
    "skip_single": "skipped, single",
    "samples_seen": "samples",
    "seconds": "seconds",
}
Figure = float | Mapping[str, float]
TOLD = ("rounds", "local_steps", "shards", "batch_size", "ratio", "ema_decay", "lr", "seed")


def results_file() -> Path:
    """Where the shipped figures stand."""
    return paths.demo() / "iet_agc.json"


def unet() -> Path:
    """Where the shipped UNet stands."""
    return paths.demo() / "unet-iet-agc"


def save(found: Mapping[str, Any], out: Path) -> None:
    """Ship what a study found in its folder `out`."""
    page = paths.page(PAGE)
    copytree(out / "iet_agc" / "model" / "unet", unet(), dirs_exist_ok=True)
    atomic.json(results_file(), found)
    atomic.text(page, refresh(page.read_text("utf-8"), found))


def refresh(text: str, found: Mapping[str, Any]) -> str:
    """A page with its table brought up to date; what stands outside the marks is left alone."""
    return replace_between(text, BEGIN, END, f"{table(found)}\n\n{said(found)}")


def table(found: Mapping[str, Any]) -> str:
    """A line per mode, in Markdown."""
    lines = [f"| mode | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name in ("before", *MODES):
        cells = (format_figure(found[name].get(column)) for column in COLUMNS)
        lines.append(f"| {name.replace('_', '-')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_figure(value: Figure | None) -> str:
    """A figure, with its interval if it has one; nothing where it makes no sense."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return format_estimate(value, 3)
    return f"{value:,.0f}" if value > 10 or isinstance(value, int) else f"{value:.3f}"


def mean_of(value: Figure) -> float:
    """The number of a figure with or without an interval."""
    return value["mean"] if isinstance(value, Mapping) else value


def said(found: Mapping[str, Any]) -> str:
    """What the table comes to, and with which settings it was made."""
    plain, both = found["plain"], found["iet_agc"]
    settings = ", ".join(f"`{k.replace('_', '-')} {found['settings'][k]:g}`" for k in TOLD)
    copied = [mean_of(mode["copied"]) for mode in (both, plain)]
    aligned = [mean_of(mode["alignment"]) for mode in (both, plain)]
    copies = copied[0] / copied[1] if copied[1] else float("nan")
    return (
        f"IET-AGC copies {copies:.2f} times as often as plain fine-tuning on as many samples, at "
        f"{aligned[0] / aligned[1]:.2f} of its alignment: it learned less, and "
        f"equal learning is not compared here. Settings: {settings}."
    )
