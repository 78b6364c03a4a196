"""What an evaluation would do, before it does it: pictures, time, disk and what is missing."""

import io
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memviz.evaluation.bulk import Bulk, make_group, missing_pictures
from memviz.evaluation.columns import DETECTION
from memviz.evaluation.evaluate import ESSENTIAL, Evaluation, bulk_folders, plan_pictures
from memviz.evaluation.pictures import picture_folders
from memviz.evaluation.protocols import Need
from memviz.evaluation.requirements import available_columns, missing_needs
from memviz.io.disk import free_bytes

if TYPE_CHECKING:
    from memviz.guidance.spec import MethodSpec
    from memviz.models.loading import Model

TRIAL = 4  # pictures that are timed together
SHORT, LONG = 2, 4  # steps of the two trials, from which the time of a picture is reckoned


@dataclass(frozen=True)
class EvaluationPlan:
    """Counts, times and sizes as they were found; None where nothing can be made to measure it."""

    protocol: str
    methods: int
    prompts: int
    pictures: int  # of all methods
    ready: int  # of these, already in the folder
    seconds: float | None  # to make the others here, without the look at them
    bytes: int | None  # that they take
    free_bytes: int  # on that disk
    columns: tuple[str, ...]
    missing: tuple[Need, ...]
    may_start: bool  # whether it can begin with what is here


def plan_evaluation(asked: Evaluation) -> EvaluationPlan:
    """Look at all that is asked for, and time two short trials of each method."""
    missing = tuple(missing_needs(asked.protocol, asked.images is not None))
    columns = available_columns(asked.protocol, missing)
    essential = any(need.part in ESSENTIAL for need in missing)
    plan = EvaluationPlan(
        protocol=asked.protocol.name,
        methods=len(asked.protocol.methods),
        prompts=0,
        pictures=0,
        ready=0,
        seconds=None,
        bytes=None,
        free_bytes=free_bytes(asked.out),
        columns=columns,
        missing=missing,
        may_start=bool(columns) and not (essential or (missing and not asked.skip_missing)),
    )
    if asked.images:
        return replace(plan, methods=len(picture_folders(asked.images)))
    if essential or any(name in DETECTION for name in columns):
        return plan
    bulks = plan_pictures(asked)
    left = {method: len(missing_pictures(bulks[method], folder))
            for method, folder in bulk_folders(asked, bulks).items()}  # fmt: skip
    seconds, size = 0.0, 0.0
    for method, count in left.items():
        if count:
            each = time_picture(bulks[method])
            seconds, size = seconds + each[0] * count, size + each[1] * count
    total = sum(map(len, bulks.values()))
    first = next(iter(bulks.values()))
    return replace(
        plan,
        prompts=len(set(first.prompts)),
        pictures=total,
        ready=total - sum(left.values()),
        seconds=seconds,
        bytes=round(size),
    )


def time_picture(bulk: Bulk) -> tuple[float, float]:
    """Seconds and bytes of a picture, from trials of two and of four steps."""
    from memviz import resources
    from memviz.guidance.model_defaults import own
    from memviz.guidance.spec import MethodSpec

    model = resources.load_model(bulk.model, bulk.dtype)
    method = MethodSpec.parse(bulk.method, own(model))
    trial = replace(bulk, prompts=bulk.prompts[:TRIAL], seeds=bulk.seeds[:1])
    (short, _), (long, size) = (
        run_trial(replace(trial, steps=steps), model, method) for steps in (SHORT, LONG)
    )
    a_step = max(long - short, 0.0) / (LONG - SHORT) or long / LONG
    return (max(long - LONG * a_step, 0.0) + bulk.steps * a_step), size


def run_trial(bulk: Bulk, model: "Model", method: "MethodSpec") -> tuple[float, float]:
    """Seconds and bytes a picture of one group."""
    begun = time.perf_counter()
    made = [image for image, _ in make_group(bulk, model, method, range(len(bulk)))]
    seconds = (time.perf_counter() - begun) / len(made)
    kept = io.BytesIO()
    for image in made:
        image.save(kept, "PNG")
    return seconds, kept.tell() / len(made)
