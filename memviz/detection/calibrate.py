"""Measures a model's reference bands on ordinary prompts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from memviz.detection.reference_bands import KIND, LEAST, LIKE, ROWS, Band, key, limits, save
from memviz.errors import InputError
from memviz.guidance.base import Guidance
from memviz.guidance.model_defaults import own, plain_guidance
from memviz.guidance.transition import Constant

if TYPE_CHECKING:
    from memviz.models.loading import Model


def calibrate(
    model: "Model",
    prompts: Sequence[str],
    scheduler: str = "ddim",
    steps: int = 50,
    scale: float | None = None,
    extra: Sequence[str] = (),
    note: Callable[[str], None] = print,
    least: int = LEAST,
    kind: str = KIND,
    like: str = LIKE,
    spacing: str = "",
    size: int | None = None,
) -> dict[str, Any]:
    """Measure and keep the band of every signal over control prompts under plain guidance.

    The band holds for prompts of the form `like` alone, called `kind`. Raises ValueError for fewer
    than `least` prompts, or where one of them is not of that form.
    """
    check(prompts, Band({}, 0, kind, like), least)
    scale = plain_guidance(own(model)).w if scale is None else scale
    path = {"scheduler": scheduler, "steps": steps, "spacing": spacing, "size": size}
    rows = measure_signals(model, prompts, Constant(scale), extra, note, **path)
    where = key(model, scheduler, steps, scale, spacing, size)
    band = Band(limits(rows), len(prompts), kind, like)
    told = {"kind": kind, "like": like, "prompts": len(prompts), "signals": band.signals}
    return {"file": str(save(where, band)), "key": asdict(where)} | told


def check(prompts: Sequence[str], band: Band, least: int) -> None:
    """Raise ValueError where these are too few, or not all of the band's kind."""
    if len(prompts) < least:
        raise InputError(
            f"A band needs at least {least} control prompts, got {len(prompts)}. Give more."
        )
    if other := [p for p in prompts if not band.holds(p)]:
        raise InputError(
            f"{len(other)} of {len(prompts)} control prompts are not of the form {band.like!r}, "
            f"the first is {other[0]!r}: correct the form, or take them out."
        )


def measure_signals(
    model: "Model",
    prompts: Sequence[str],
    guidance: Guidance,
    extra: Sequence[str],
    note: Callable[[str], None],
    **path: Any,  # noqa: ANN401 - of `denoise`: steps, scheduler, spacing, size
) -> dict[str, list[list[float]]]:
    """By signal, the values of every prompt (seed 0) over its steps."""
    from memviz.sampling.generate import denoise
    from memviz.sampling.types import Request

    found: dict[str, list[list[float]]] = {}
    for start in range(0, len(prompts), ROWS):
        note(f"{start} of {len(prompts)} prompts")
        requests = [Request(p, 0, guidance) for p in prompts[start : start + ROWS]]
        for made in denoise(model, requests, extra=extra, **path):
            for name, values in made.signals.items():
                if not isinstance(values[0], list):  # attention has a value per token
                    found.setdefault(name, []).append(values)
    return found
