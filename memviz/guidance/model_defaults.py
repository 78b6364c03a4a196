"""A model's own `memviz.json`: parameters of its methods, benign bands, CLIP; few models have one.

`methods` maps keys to spellings (`{"stp": "late=4,at=500"}`) that go before the methods' defaults.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, model_validator

from memviz.guidance.band_clamp import spell_limits
from memviz.guidance.base import Guidance
from memviz.guidance.mitigation import FullScale
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.guidance.transition import Constant
from memviz.io.paths import demo, expand
from memviz.io.read import read_record

if TYPE_CHECKING:
    from memviz.models.loading import Model


class ShippedBand(BaseModel):
    """Between which magnitudes a model's ordinary prompts of one kind lie."""

    model: str  # hash
    scheduler: str
    steps: int
    low: list[float]
    high: list[float]
    runs: int  # that it was measured on
    kind: str
    like: str  # regular expression of a whole prompt
    unit: str | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Raise ValueError for a band that cannot be asked."""
        check_limits({"low": self.low, "high": self.high})
        check_pattern(self.like)
        return self


class ModelFile(BaseModel):
    """What memviz.json may say."""

    clip: str | bool = False
    methods: dict[str, str] | None = None
    bands: list[ShippedBand] = []


def check_limits(limits: Mapping[str, list[float]]) -> None:
    """Raise ValueError unless a band has a value of either side at every step."""
    if {*limits} != {"low", "high"} or len(limits["low"]) != len(limits["high"]):
        raise ValueError("wanted as many values of low as of high")


def check_pattern(like: str) -> None:
    """Raise ValueError for what is no regular expression."""
    try:
        re.compile(like)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{like[:40]!r} is no regular expression: {error}") from None


def settings(folder: Path) -> dict[str, Any]:
    """What a model's folder says of itself; empty without such a file.

    Raises DamagedFile for one that cannot be used.
    """
    try:
        told = read_record(folder / "memviz.json", ModelFile)
    except FileNotFoundError:
        return {}
    found = told.model_dump(exclude_unset=True, exclude_none=True)
    if "methods" in found:
        found["methods"] = suited(found["methods"], found.get("bands", []))
    return found


def model_settings(path: str) -> dict[str, Any]:
    """The same of "PIPE+UNET": a UNet of one's own has its own word, where it says one.

    Nobody knows what pictures another was trained on, so the pipeline's CLIP does not judge it.
    """
    folder, _, unet = path.partition("+")
    found = settings(Path(folder))
    if not unet or Path(unet).resolve().is_relative_to(demo().resolve()):
        return found
    shared = {key: value for key, value in found.items() if key != "clip"}
    own = Path(unet).parent if Path(unet).name == "unet" else Path(unet)
    return {**shared, **settings(own)} if (own / "memviz.json").is_file() else shared


def suited(own: dict[str, str], bands: list[dict[str, Any]]) -> dict[str, str]:
    """The remedies at a model's own scale too, with targets and limits of its ordinary prompts.

    Optimisation stops at the magnitude below which only 5 % of the first band's prompts start; a
    band that does not say the unit of its magnitude was measured in another one and gives none. A
    remedy that the model's file spells out itself stays as it is.
    """
    scale = plain_guidance(own).w
    rest = {k: f"scale={scale:g}" for k, m in METHODS.items() if isinstance(m.guidance, FullScale)}
    for band in [b for b in bands[:1] if "unit" in b]:
        rest |= {k: f"{rest[k]},target={band['low'][0]:g}" for k in ("wen", "han")}
        rest["clamp"] += f",limits={spell_limits(band['high'])}"
    return rest | own


def plain_guidance(own: Mapping[str, str] | None) -> Constant:
    """Plain guidance under a model's own spellings."""
    guidance = MethodSpec.parse("cfg", own).guidance
    assert isinstance(guidance, Constant)
    return guidance


def own(model: "Model") -> dict[str, str]:
    """The methods' spellings that suit a loaded model; empty without a file of its own."""
    return model_settings(model.path).get("methods", {})


def tuned(model: str) -> dict[str, Guidance]:
    """Every method at the parameters that suit a named model; nothing is loaded.

    Raises ValueError if there is no such model.
    """
    from memviz.models.loading import find

    found = settings(expand(find(model).places[0])).get("methods")
    return {key: MethodSpec.parse(key, found).guidance for key in METHODS}
