"""Benign bands: between which values every signal lies for ordinary prompts, step by step.

A band holds for one model (by hash), scheduler, number of steps, scale, precision, spacing of the
timesteps and size of the pictures; under other settings a curve means something else, and `find`
says so instead of giving a band. It may hold for prompts of one kind alone: a caption that names
all that a picture shows pulls harder than a title.
`python -m memviz calibrate` measures bands and keeps them in $MEMVIZ_HOME/bands.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, model_validator

from memviz.guidance.model_defaults import (
    check_limits,
    check_pattern,
    own,
    plain_guidance,
    settings,
)
from memviz.io import atomic
from memviz.io.paths import home
from memviz.io.read import DamagedFile, read_record

if TYPE_CHECKING:
    from memviz.models.loading import Model

LOW, HIGH = 5, 95  # percentiles
UNITS = {"epsilon": "epsilon", "v_prediction": "v", "flow": "a flow's v"}
LEAST = 100  # control prompts
ROWS = 32  # denoised together
KIND, LIKE = "prompts", ".*"  # of a band that holds for every prompt
Limits = dict[str, list[float]]  # "low" and "high", a value per step


@dataclass(frozen=True)
class Key:
    """What a band holds for."""

    model: str  # hash
    scheduler: str
    steps: int
    scale: float
    dtype: str
    unit: str = "epsilon"  # of the magnitude: what the model predicts; older bands do not say
    spacing: str = ""  # of the timesteps; "" is the usual one for model and scheduler
    size: int | None = None  # pixels a side; None is the model's own

    def words(self) -> str:
        """The settings as people say them."""
        settings = f"{self.scheduler}, {self.steps} steps, scale {self.scale:g}, {self.dtype}"
        settings += f", {self.spacing} timesteps" if self.spacing else ""
        settings += f", {self.size} px" if self.size else ""
        return f"{settings}, magnitude of {UNITS.get(self.unit, self.unit)}"


@dataclass(frozen=True)
class Band:
    """Between which values every signal lies for ordinary prompts of one kind."""

    signals: Mapping[str, Limits]
    runs: int  # that it was measured on
    kind: str = KIND  # in the plural
    like: str = LIKE  # regular expression of the whole prompt, in any case

    def holds(self, prompt: str) -> bool:
        """Whether a prompt is of this kind."""
        return bool(re.fullmatch(self.like, prompt.strip(), re.IGNORECASE | re.DOTALL))

    def range(self, signal: str, step: int) -> tuple[float, float] | None:
        """Between which values ordinary prompts lie at a step."""
        limits = self.signals.get(signal)
        known = limits and step < len(limits["low"])
        return (limits["low"][step], limits["high"][step]) if limits and known else None


NONE = Band({}, 0)  # says nothing of any signal


class BandFile(BaseModel):
    """A measured band, as its file in $MEMVIZ_HOME/bands has it."""

    key: Key
    signals: dict[str, Limits]
    prompts: int
    kind: str = KIND
    like: str = LIKE

    @model_validator(mode="after")
    def check(self) -> Self:
        """Raise ValueError for a band that cannot be asked."""
        for limits in self.signals.values():
            check_limits(limits)
        check_pattern(self.like)
        return self

    @property
    def band(self) -> Band:
        """What it says."""
        return Band(self.signals, self.prompts, self.kind, self.like)


@dataclass(frozen=True)
class Found:
    """The bands of a run's settings, one per kind of prompts; `words` on them, or why none is."""

    bands: Sequence[Band]
    words: str

    def of(self, *prompts: str) -> Band:
        """The band that holds for all of these prompts; `NONE` where there is none."""
        return next((b for b in self.bands if all(map(b.holds, prompts))), NONE)

    def note(self, *prompts: str) -> str:
        """A sentence on the band of these prompts, or on why they have none."""
        if not self.bands:
            return self.words
        if (band := self.of(*prompts)) is not NONE:
            return f"Band of {band.runs} runs of ordinary {band.kind} ({self.words})."
        kinds = " and for ".join(b.kind for b in self.bands)
        if all(any(b.holds(p) for b in self.bands) for p in prompts):
            return f"There is a band for {kinds}; prompts of several kinds have none in common."
        return f"There is a band for {kinds} alone ({self.words}); not every prompt here is one."


def key(
    model: "Model",
    scheduler: str,
    steps: int,
    scale: float,
    spacing: str = "",
    size: int | None = None,
) -> Key:
    """The key of a run with this model; what is the usual is not told apart from what is asked."""
    from memviz.models.network import network_of
    from memviz.models.schedulers import prediction_type, usual_spacing
    from memviz.sampling.noise import own_size

    spacing = "" if spacing == usual_spacing(model.pipe, scheduler) else spacing
    size = None if size == own_size(model.pipe) else size
    dtype = str(network_of(model.pipe).dtype).removeprefix("torch.")
    unit = prediction_type(model.pipe)
    return Key(model.hash, scheduler, steps, float(scale), dtype, unit, spacing, size)


def find(
    model: "Model",
    scheduler: str,
    steps: int,
    scale: float,
    spacing: str = "",
    size: int | None = None,
) -> Found:
    """The bands that hold for these very settings, or why none does."""
    wanted = key(model, scheduler, steps, scale, spacing, size)
    mine, theirs = kept(model.hash), shipped(model)
    if bands := mine.get(wanted, []) + theirs.get(wanted, []):
        return Found(bands, wanted.words())
    if known := mine | theirs:
        others = "; ".join(k.words() for k in known)
        why = f"The band was measured with {others}; this run has {wanted.words()}"
        return Found([], f"{why}, so it does not apply.")
    return Found([], "No band of ordinary prompts was measured for this model: run calibrate.")


def kept(model: str) -> dict[Key, list[Band]]:
    """The bands measured on this machine for a model; those of one kind before that of any."""
    found: dict[Key, list[Band]] = {}
    for file in sorted((home() / "bands").glob(f"{model[:16]}-*.json")):
        try:
            told = read_record(file, BandFile)
        except (FileNotFoundError, DamagedFile):  # removed meanwhile, or damaged: no band
            continue
        found.setdefault(told.key, []).append(told.band)
    return {where: sorted(some, key=lambda b: b.like == LIKE) for where, some in found.items()}


def shipped(model: "Model") -> dict[Key, list[Band]]:
    """The bands that lie beside the model's weights: of the magnitude alone."""
    scale, found = plain_guidance(own(model)).w, {}
    for told in settings(model.folder).get("bands", []):
        if told["model"] == model.hash:
            grid, unit = (told["scheduler"], told["steps"]), told.get("unit", "epsilon")
            where = Key(model.hash, *grid, float(scale), "float32", unit)
            limits = {"magnitude": {"low": told["low"], "high": told["high"]}}
            band = Band(limits, told["runs"], told["kind"], told["like"])
            found.setdefault(where, []).append(band)
    return found


def save(where: Key, band: Band) -> Path:
    """Keep a measured band for later runs."""
    kind = "" if band.like == LIKE else f"-{sha256(band.like.encode()).hexdigest()[:8]}"
    name = f"{where.model[:16]}-{where.scheduler}-{where.steps}-{where.scale:g}-{where.dtype}"
    name += f"-{where.spacing}" * bool(where.spacing) + f"-{where.size}px" * bool(where.size) + kind
    file = home() / "bands" / f"{name}.json"
    values = {"key": asdict(where), "prompts": band.runs, "kind": band.kind, "like": band.like}
    atomic.json(file, values | {"signals": dict(band.signals)}, indent=None)  # one line, or long
    return file


def limits(rows: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, Limits]:
    """5 and 95 % of each signal at each step, and of the magnitude's running mean."""
    import numpy as np

    tables = {name: np.array(values, float) for name, values in rows.items()}  # (prompts, steps)
    if "magnitude" in tables:
        many = np.arange(1, tables["magnitude"].shape[1] + 1)
        tables["magnitude_mean"] = tables["magnitude"].cumsum(1) / many
    found = {}
    for name, table in tables.items():
        empty = np.isnan(table[:, 0])  # there is no change of x0 before the first step
        table[empty, 0] = table[empty, 1]
        if np.isfinite(table).all():  # agreement has no value for a seed alone
            low, high = np.percentile(table, (LOW, HIGH), axis=0).round(6).tolist()
            found[name] = {"low": low, "high": high}
    return found
