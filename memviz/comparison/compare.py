"""The one use case behind the Compare tab and `python -m memviz compare`.

Plan, sample, record, score, write. Stop reading and it stops within a step; what is there is kept.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

from PIL import Image

from memviz.comparison.plan import Plan, make_plan
from memviz.comparison.recorder import StepView, TraceRecorder
from memviz.comparison.request import ComparisonRequest
from memviz.comparison.scoring import score
from memviz.comparison.writer import RunWriter
from memviz.io.ids import ID, new_id
from memviz.models import decode
from memviz.models.loading import Model
from memviz.models.schedulers import scheduler
from memviz.retrieval.copy_detector import CopyDetector
from memviz.runs import resume, store
from memviz.runs.record import CellState, RunRecord
from memviz.sampling.loop import sample
from memviz.sampling.types import Request, ResumeState, Step
from memviz.signals.costly import FinalSignals


def compare(
    request: ComparisonRequest,
    folder: Path | None = None,
    resumable: bool = False,
    title: str | None = None,
    model: Model | None = None,
    detector: CopyDetector | None = None,
) -> Generator[StepView, None, None]:
    """Make all cells of `request` in `folder` (a new run of the user's by default).

    Yields a view after every step, and at the end one whose `snapshot()` is the finished run. A
    folder that is named like a run gives the run its id. A resumable run keeps every step: the
    same call, made again after it broke off, goes on from there. Raises a MemvizError where a part
    of the request is not there, or the kept picture to go on from was made otherwise. A `model` or
    `detector` that is loaded already goes before the one that the request names.
    """
    run_id = folder.name if folder and ID.fullmatch(folder.name) else new_id()
    folder = folder or store.root() / run_id
    plan = make_plan(request, model, detector)
    record = plan.record(run_id, title)
    past = find_past(plan, record, folder, resumable)  # a refusal leaves no folder behind
    writer = RunWriter(plan, record, folder)
    recorder = TraceRecorder(plan, writer.snapshot)
    writer.start()
    try:
        last = None
        for event in sample_cells(plan, past):
            if isinstance(event, FinalSignals):
                recorder.complete(event)
                continue
            view, last = recorder.add(event), event
            if resumable and event.index + 1 < len(plan.timesteps):  # the last tells of all
                resume.keep_step(folder, event)
            yield view
        assert last is not None
        images = decode_pictures(plan, last)
        results = score(plan, images, recorder.first_magnitudes(), folder)
        run = writer.finish(recorder, images, results)
    except (GeneratorExit, KeyboardInterrupt):
        writer.stop(recorder, CellState.STOPPED)
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        writer.stop(recorder, CellState.FAILED, why)
        raise
    yield recorder.view(run)


def decode_pictures(plan: Plan, last: Step) -> list[Image.Image]:
    """The finished pictures after the last step; equal samples are decoded once."""
    rows = sorted(set(last.states))
    images = decode.pictures(decode.decode(plan.model.pipe, last.latents[rows]))
    found = dict(zip(rows, images, strict=True))
    return [found[state] for state in last.states]


def find_past(plan: Plan, record: RunRecord, folder: Path, resumable: bool) -> ResumeState | None:
    """The steps that a run goes on from: a kept cell's, or its own before it broke off."""
    if plan.request.since:
        return resume.load_kept(plan.request.since, plan.cells[0].guidance, record)
    return resume.load_unfinished(folder, record) if resumable else None


def sample_cells(plan: Plan, past: ResumeState | None) -> Iterator[Step | FinalSignals]:
    """Denoise all cells together."""
    rows = [Request(cell.prompt, cell.seed, cell.guidance) for cell in plan.cells]
    request, pipe = plan.request, plan.model.pipe
    steps = scheduler(pipe, request.scheduler, request.steps, request.spacing)
    return sample(pipe, rows, steps, plan.detector, request.signals, past, request.size)
