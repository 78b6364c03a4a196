"""What run.json says, typed: what was asked, with what it was made, and what came out of each cell.

Reading an older schema brings it to this one; `docs/run-format.md` lists the schemas.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from memviz.errors import InputError
from memviz.retrieval.verdict import CopyThresholds, Kind

SCHEMA = 2
KINDS: dict[str, Kind] = {  # of words, where schema 1 kept words alone
    "Copied": "copied",
    "Close": "close",
    "No copy found": "none",
    "Looks memorized": "memorized",
    "Looks ordinary": "ordinary",
}
TransitionKind = Literal["none", "static", "minimum", "fallback"]
Limits = dict[str, list[float]]  # "low" and "high", a value per step


class CellState(StrEnum):
    """How a run, or a cell of it, stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    BROKEN = "broken off"  # derived, never written: "running", by a process that is gone


class Record(BaseModel):
    """A frozen part of run.json; keys that it does not have are passed over."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True
    )


class RequestRecord(Record):
    """What was asked for: the fields of a comparison's request, methods spelled out."""

    prompts: tuple[str, ...] = Field(min_length=1)
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    scheduler: str
    spacing: str = ""
    size: int | None = None
    model: str
    dtype: str = ""
    corpus: str = ""
    descriptor: str = ""
    clip: str = "auto"
    signals: tuple[str, ...] = ()
    keep: bool = False
    probe: bool = False
    decoder: str = ""
    look_every: int = 0
    since: str = ""


class ModelRecord(Record):
    """The model that made the pictures."""

    name: str
    hash: str
    parameters: int


class CorpusRecord(Record):
    """The training images that were looked through."""

    name: str
    hash: str
    images: int


class DescriptorRecord(Record):
    """What compared pictures with them."""

    preset: str
    dims: int
    hash: str = ""
    note: str = ""  # on what it is good for


class PromptSignal(Record):
    """Does the prompt look memorized? `value` is the magnitude of the first step."""

    word: str
    reason: str
    kind: Kind
    value: float


class MatchRecord(Record):
    """A training image that a picture was matched with; `image` lies in the run's folder."""

    id: int
    caption: str
    similarity: float
    image: str
    times: int = 1  # how often training shows it, where its corpus says


class CellResult(Record):
    """What was found out about a cell's picture; a cell that did not finish has none of it."""

    prompt_signal: PromptSignal | None = None
    matches: tuple[MatchRecord, ...] = ()  # best first
    similarity: float | None = None  # of the best match, -1 to 1
    verdict: str | None = None  # in words
    kind: Kind | None = None  # the same as a key
    reason: str | None = None
    alignment: float | None = None  # CLIP's cosine with the prompt

    @computed_field
    @property
    def match(self) -> MatchRecord | None:
        """The best match."""
        return self.matches[0] if self.matches else None


class CellFiles(Record):
    """What a cell left in the run's folder, by path within it."""

    image: str | None = None  # finished, or the newest x0 estimate where it did not finish
    sheet: str | None = None  # all x0 estimates
    mask: str | None = None  # the bright ending
    kept_bytes: int = 0  # of the latents kept to go on from


class CellProgress(Record):
    """What a cell's trace says of it so far."""

    evaluations: float = 0.0  # of the UNet, that the cell would have needed alone
    prompt_read: str | None = None  # where a method changed the prompt
    tokens: tuple[str, ...] | None = None  # where the attention on them was recorded
    transition_step: int | None = None
    transition_timestep: int | None = None
    transition_kind: TransitionKind = "none"
    estimated_step: int | None = None  # the first minimum of the magnitude
    estimated_timestep: int | None = None
    estimated_prominence: float | None = None  # share that the magnitude rises by on both sides
    prominent_timestep: int | None = None


class CellRecord(CellResult, CellFiles, CellProgress):
    """One prompt x method x seed: all that run.json says of it."""

    number: int = Field(validation_alias="cell", serialization_alias="cell")
    prompt: str
    method: str
    label: str
    spec: str
    seed: int
    state: CellState


class RunRecord(Record):
    """All that run.json says."""

    id: str
    state: CellState
    error: str | None = None  # why it failed
    created: str  # ISO 8601
    title: str
    request: RequestRecord = Field(validation_alias="asked", serialization_alias="asked")
    model: ModelRecord
    noise_hash: dict[str, str]  # of the starting noise, by seed
    timesteps: tuple[int, ...]
    device: str = ""
    versions: dict[str, str | None] = {}
    unet_evaluations: int = 0
    seconds: float = 0.0
    bands: dict[str, Limits] = {}  # where ordinary prompts lie, by signal
    band_note: str = ""
    corpus: CorpusRecord | None = None
    descriptor: DescriptorRecord | None = None
    thresholds: CopyThresholds | None = None
    tile: int = 64  # pixels of an x0 estimate on a sheet
    sheet_columns: int = 10
    clip: str = ""  # that scored the alignment
    decoder_note: str = ""
    process: dict[str, Any] | None = None  # that makes it; see `memviz.io.process`
    cells: tuple[CellRecord, ...]

    @computed_field
    @property
    def band(self) -> Limits | None:
        """The band of the magnitude."""
        return self.bands.get("magnitude")

    @property
    def images(self) -> int | None:
        """How many training images were looked through."""
        return self.corpus.images if self.corpus else None

    @property
    def copy_mark(self) -> float | None:
        """The similarity from which a picture counts as copied; None where nothing may."""
        fit = not (self.descriptor and self.descriptor.note)
        return self.thresholds.copied if self.thresholds and fit else None

    @classmethod
    def from_json(cls, found: object) -> Self:
        """The record in JSON of this schema or an older one.

        Raises InputError that names the first entry that is missing or wrong.
        """
        if not isinstance(found, dict) or "cells" not in found:
            raise InputError("it is not the record of a run")
        try:
            return cls.model_validate(migrate(cast("dict[str, Any]", found)))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise InputError(f"{where or 'an entry'}: {first['msg']}") from None

    def to_json(self) -> dict[str, Any]:
        """As run.json keeps it."""
        return {"schema": SCHEMA, **self.model_dump(mode="json", by_alias=True)}


def migrate(found: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of an older schema as this one has them; InputError for a newer one."""
    schema = found.get("schema", 1)
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise InputError(
            f"its schema is {schema!r} and this memviz reads 1 to {SCHEMA}; update memviz"
        )
    cells: object = found["cells"]
    if schema == 1 and isinstance(cells, list):
        bands = found.get("bands") or ({"magnitude": found["band"]} if found.get("band") else {})
        cells = [cell_from_first(cell) for cell in cast("list[object]", cells)]
        return {**found, "bands": bands, "cells": cells}
    return dict(found)


def cell_from_first(cell: object) -> object:
    """A cell of schema 1, which kept some verdicts as words without their kind."""
    if not isinstance(cell, dict):
        return cell
    known = cast("dict[str, Any]", cell)
    found = {**known, "reason": known.get("reason"), "matches": known.get("matches") or ()}
    if known.get("verdict"):
        found.setdefault("kind", kind_of(known["verdict"]))
    if isinstance(signal := known.get("prompt_signal"), dict):
        signal = cast("dict[str, Any]", signal)
        found["prompt_signal"] = {"kind": kind_of(signal.get("word")), **signal}
    return found


def kind_of(word: object) -> Kind:
    """The kind of a verdict in words."""
    return KINDS.get(str(word).partition(" among ")[0], "unknown")
