"""A protocol: everything that decides a figure of a table, so that two tables can be compared.

Prompts and how they are drawn, seeds, size, scheduler, steps, methods with their scales, descriptor
and CLIP with their preparation, reference pictures, columns, the published rows, and where memviz
departs from the paper. `load_protocol` takes a bundled name or somebody's own file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from memviz.errors import InputError
from memviz.evaluation.columns import COLUMNS
from memviz.guidance.spec import MethodSpec

HERE = Path(__file__).parent
SCHEDULERS = ("ddim", "dpm", "pndm")
PARTS = ("model", "corpus", "prompts", "ordinary", "descriptor", "clip", "inception")
STRICT = {"extra": "forbid"}  # a misspelled name is a mistake, not a remark


@dataclass(frozen=True)
class Need:
    """Something that a protocol reads and that may have to be downloaded first."""

    __pydantic_config__: ClassVar = STRICT

    part: str  # one of PARTS
    what: str
    url: str = ""
    size: str = "size not stated"
    license: str = "license not stated"

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise InputError(f"a need is for {self.part!r}; name one of {', '.join(PARTS)}")

    def __str__(self) -> str:
        place = f", {self.url}" if self.url else ""
        return f"{self.what} ({self.size}, {self.license}{place})"


@dataclass(frozen=True)
class Published:
    """A row of the paper's table: the method as it is spelled here, and figures by column."""

    __pydantic_config__: ClassVar = STRICT

    method: str
    label: str
    values: Mapping[str, float]
    note: str = ""  # where the figure is from, if not from the paper's own table


@dataclass(frozen=True)
class Protocol:
    """One way of measuring. Raises InputError, in one sentence, on what cannot be."""

    __pydantic_config__: ClassVar = STRICT

    name: str
    about: str
    paper: str
    code: str = ""
    model: str = ""  # empty: there is no public name for it, it must be given
    corpus: str = ""  # training pictures; empty: must be given where a column needs them
    prompts: str = ""  # a file, a corpus whose captions are meant, imagenette, or demo:GROUP
    template: str = ""  # "An image of {class}"
    draw: int | None = None  # numpy's seed for a draw with replacement; none: in order
    limit: int | None = None  # how many prompts
    ordinary: str = ""  # the prompts that a detector must tell from the others
    methods: tuple[str, ...] = ("cfg",)
    seeds: tuple[int, ...] = (0,)
    seeds_by_row: bool = False  # each prompt has its own: the seed plus the row's number
    size: int | None = None  # pixels; none: the model's own
    scheduler: str = "ddim"
    steps: int = 50
    descriptor: str = "sscd_disc_large"
    clip: str = ""  # a folder or a hub id; empty: the bundled one
    clip_preparation: str = "own"
    reference: int | None = None  # training pictures that distances are taken to; none: all
    columns: tuple[str, ...] = ("sim_95pc", "clipscore")
    published: tuple[Published, ...] = ()
    departs: tuple[str, ...] = ()  # where memviz differs whatever is asked
    needs: tuple[Need, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        for name in self.columns:
            if name not in COLUMNS:
                raise InputError(f"no column is named {name!r}; choose from {', '.join(COLUMNS)}")
        for text in self.methods:
            MethodSpec.parse(text)
        if self.scheduler not in SCHEDULERS:
            raise InputError(
                f"no scheduler is named {self.scheduler!r}; use {', '.join(SCHEDULERS)}"
            )
        for what in ("methods", "seeds", "columns"):
            if not getattr(self, what):
                raise InputError(f"{what} is empty; give at least one")
        for what, low in (("steps", 2), ("limit", 1), ("size", 8), ("reference", 2)):
            value = getattr(self, what)
            if value is not None and value < low:
                raise InputError(f"{what} is {value}; give a whole number from {low} on")
        if min(self.seeds) < 0:
            raise InputError(f"a seed is {min(self.seeds)}; give whole numbers from 0 on")
        if self.template and "{class}" not in self.template:
            raise InputError(f"the template {self.template!r} has no {{class}} in it")
        if self.clip_preparation not in ("own", "dcr"):
            raise InputError(f"clip_preparation is {self.clip_preparation!r}; use own or dcr")

    def need(self, part: str) -> Need | None:
        """What is said about a part that has to be fetched."""
        return next((need for need in self.needs if need.part == part), None)


def list_protocols() -> list[str]:
    """The names of the bundled protocols."""
    return sorted(file.stem for file in HERE.glob("*.toml"))


def load_protocol(name_or_file: str | Path) -> Protocol:
    """A bundled protocol by name, or one from a TOML file."""
    text = str(name_or_file)
    file = HERE / f"{text}.toml" if text in list_protocols() else Path(text).expanduser()
    if not file.is_file():
        raise InputError(
            f"No protocol is named {text!r}. Choose {', '.join(list_protocols())}, or give a "
            "TOML file."
        )
    try:
        return read_protocol({"name": file.stem} | tomllib.loads(file.read_text("utf-8")))
    except (InputError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a protocol: {error}.") from None


def read_protocol(values: Mapping[str, Any]) -> Protocol:
    """A protocol from the values of a TOML file, its names and types checked."""
    from pydantic import TypeAdapter, ValidationError

    try:
        known = dict(values)
        needs = known.get("needs", {})
        known["needs"] = [{"part": part} | dict(need) for part, need in needs.items()]
        known["published"] = [_published(row) for row in known.get("published", ())]
        return TypeAdapter(Protocol).validate_python(known)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{place}: {said}" if place else said) from None
    except (AttributeError, TypeError, ValueError):
        raise InputError("needs and published must be tables, as [needs.model]") from None


def _published(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row: its figures by column; the rest is the method, its label or a note."""
    values = {name: value for name, value in row.items() if name in COLUMNS}
    rest = {name: value for name, value in row.items() if name not in COLUMNS}
    return {"label": row.get("method", "")} | rest | {"values": values}
