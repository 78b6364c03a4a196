"""The use cases as plain functions, for notebooks and scripts; `import memviz as mv` has them.

They take models and detectors that are loaded, guidance values as objects, and return what is
finished. The generators behind them (`comparison.compare`, `sampling.sample`) show every step.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz import resources
from memviz.comparison.compare import compare as compare_steps
from memviz.comparison.request import ComparisonRequest
from memviz.comparison.sweep import request_sweep
from memviz.data.prompts import Label, Prompt
from memviz.detection.scores import Detection
from memviz.detection.scores import detect as score_prompts
from memviz.guidance.registry import CORE
from memviz.guidance.spec import Methods, make_specs
from memviz.models.loading import Model
from memviz.retrieval.copy_detector import CopyDetector
from memviz.runs.store import Run

if TYPE_CHECKING:
    import pandas as pd


def compare(
    model: Model | str,
    prompts: str | Sequence[str],
    methods: Methods = CORE,
    seeds: Iterable[int] = (0,),
    *,
    detector: CopyDetector | None = None,
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
    signals: Sequence[str] = (),
    keep: bool = False,
    folder: str | Path | None = None,
    title: str | None = None,
) -> Run:
    """Make every prompt with every method and seed, from the same noise, and judge the pictures.

    Args:
        model: as `load_model` gave it, or what it takes.
        prompts: one prompt or several.
        methods: spellings (`"stp:at=500"`), or a mapping of names to guidance values:
            `{"CFG": Constant(7.5), "mine": TwoPhase(0, 7.5, FirstMinimum(latest=400))}`.
            Settings that a spelling leaves open are the model's own.
        seeds: one starting noise each, the same for all methods.
        detector: looks for copies; without one, pictures are made and not judged. The demo's own
            is taken for the demo.
        steps, scheduler: 2 to 1,000 steps of `ddim`, `dpm`, `pndm` or `euler`.
        spacing: of the timesteps, `leading`, `linspace` or `trailing`; by default the model's own,
            else diffusers' for the scheduler.
        size: of the pictures, in pixels a side; by default the model's own.
        signals: costly ones to record beside the free ones, by key.
        keep: the latents of every step, so that a cell can be gone on from.
        folder: of the run; by default a new one in $MEMVIZ_HOME/runs.
        title: of the run in lists; by default the first prompt.

    Returns:
        The finished run: `run.results` has a row per cell, `run.trace` one per cell and step.

    Raises:
        InputError: what was asked cannot be made.
        ModelError, CorpusError, DescriptorError: a part of it is not there.
    """
    request = ComparisonRequest(
        [prompts] if isinstance(prompts, str) else list(prompts),
        make_specs(methods),
        tuple(seeds),
        steps=steps,
        scheduler=scheduler,
        spacing=spacing,
        size=size,
        signals=tuple(signals),
        keep=keep,
        **name_parts(model, detector),
    )
    return finish(request, model, detector, folder, title)


def sweep(
    model: Model | str,
    prompt: str,
    values: Mapping[str, Sequence[float]],
    method: str = "stp",
    seeds: Iterable[int] = (0,),
    *,
    detector: CopyDetector | None = None,
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
    folder: str | Path | None = None,
) -> Run:
    """Make one prompt under a method at many values of one setting, or of two.

    Branches share their UNet evaluations until they part: `sweep(model, prompt, {"at": range(100,
    901, 100)})` costs far less than nine comparisons. Raises InputError where a setting cannot
    vary, otherwise as `compare`.
    """
    request = request_sweep(
        prompt,
        values,
        tuple(seeds),
        method,
        steps=steps,
        scheduler=scheduler,
        spacing=spacing,
        size=size,
        **name_parts(model, detector),
    )
    return finish(request, model, detector, folder, None)


def detect(
    model: Model | str,
    prompts: Mapping[str, Label | None] | Iterable[str],
    *,
    steps_used: Sequence[int] = (1, 5, 0),
    images: Sequence[int] = (1, 4),
    steps: int = 50,
    scheduler: str = "ddim",
    spacing: str = "",
    size: int | None = None,
) -> "pd.DataFrame":
    """Score which prompts look memorized, by the magnitude of the first steps (Wen et al.).

    Args:
        model: as for `compare`.
        prompts: texts, or texts with a label, "memorized", "ordinary" or "hard".
        steps_used: first steps that a reading averages over; 0 is all of them.
        images: pictures that a reading averages over.
        steps, scheduler: of the whole path; no more of it is made than a reading uses.
        spacing, size: as for `compare`.

    Returns:
        A row per prompt: prompt, label, a column per reading such as `k1_n4` (a mean magnitude, in
        the model's own units), and a verdict in words. `.attrs["readings"]` says for labeled
        prompts how well each reading tells (AUC, true positive rate at 1 % false positives).
    """
    import pandas as pd

    labels = prompts if isinstance(prompts, Mapping) else dict.fromkeys(prompts)
    wanted = Detection(
        [Prompt(text, label) for text, label in labels.items()],
        name_parts(model, None)["model"],
        steps,
        scheduler,
        tuple(steps_used),
        tuple(images),
        spacing,
        size,
    )
    loaded = None if isinstance(model, str) else model
    found = score_prompts(wanted, lambda _: None, loaded)
    rows = [
        {"prompt": row["prompt"], "label": row["label"], **row["scores"], "verdict": row["verdict"]}
        for row in found["prompts"]
    ]
    table = pd.DataFrame(rows)
    table.attrs["readings"] = found["readings"]
    return table


def name_parts(model: Model | str, detector: CopyDetector | None) -> dict[str, Any]:
    """The model, corpus and descriptor of a request, by name."""
    name = model if isinstance(model, str) else model.name
    if detector is not None:
        preset = detector.descriptor.preset.name
        return {"model": name, "corpus": detector.corpus.name, "descriptor": preset}
    return {"model": name} if name == resources.DEMO else {"model": name, "corpus": ""}


def finish(
    request: ComparisonRequest,
    model: Model | str,
    detector: CopyDetector | None,
    folder: str | Path | None,
    title: str | None,
) -> Run:
    """The run of a request, once it is over."""
    loaded = resources.load_model(model) if isinstance(model, str) else model
    place = None if folder is None else Path(folder).expanduser()
    *_, last = compare_steps(request, place, title=title, model=loaded, detector=detector)
    return last.snapshot()
