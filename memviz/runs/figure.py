"""A signal of a run by timestep, as a plotly figure."""

# plotly's own hints leave these half typed.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import pandas as pd
import plotly.graph_objects as go

from memviz.errors import InputError
from memviz.runs.record import RunRecord
from memviz.signals import SIGNALS

BAND = "rgba(120, 130, 150, 0.2)"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # a method each, in turn


def draw_signal(record: RunRecord, trace: pd.DataFrame, signal: str) -> go.Figure:
    """One curve per cell over the timesteps, 999 first; behind them where ordinary prompts lie."""
    if signal not in trace or signal == "attention":
        known = ", ".join(name for name in map(str, trace.columns) if name in SIGNALS)
        raise InputError(f"This run has no curve of {signal!r}. It has {known}.")
    figure = go.Figure()
    if limits := record.bands.get(signal):
        t = [*record.timesteps]
        figure.add_scatter(
            x=t + t[::-1],
            y=limits["high"] + limits["low"][::-1],
            fill="toself",
            fillcolor=BAND,
            line_width=0,
            hoverinfo="skip",
            name="ordinary prompts",
        )
    methods = [*dict.fromkeys(cell.method for cell in record.cells)]
    for cell in record.cells:
        rows = trace[trace["cell"] == cell.number]
        dash = DASHES[methods.index(cell.method) % len(DASHES)]
        name = f"{cell.label}, seed {cell.seed}"
        if len(record.request.prompts) > 1:
            name += f", {cell.prompt}"
        figure.add_scatter(x=rows["t"], y=rows[signal], mode="lines", name=name, line_dash=dash)
    title = SIGNALS[signal].label if signal in SIGNALS else signal
    figure.update_layout(xaxis_title="timestep", yaxis_title=title, template="plotly_white")
    figure.update_xaxes(autorange="reversed")
    return figure
