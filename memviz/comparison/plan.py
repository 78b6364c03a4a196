"""What a comparison will do, settled before its first step: its cells, and all that is loaded."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from memviz import resources
from memviz.comparison.cell import CellSpec
from memviz.comparison.request import ComparisonRequest
from memviz.detection import reference_bands
from memviz.guidance.model_defaults import model_settings, plain_guidance
from memviz.guidance.transition import Constant
from memviz.io.versions import versions
from memviz.models.loading import Model
from memviz.models.preview_decoder import PreviewDecoder, choose_decoder
from memviz.models.schedulers import scheduler, told_timestep
from memviz.retrieval.clip_choice import choose_clip
from memviz.retrieval.copy_detector import CopyDetector
from memviz.runs.record import CellRecord, CellState, RunRecord
from memviz.runs.sheet import COLUMNS
from memviz.sampling.loop import check_fit
from memviz.sampling.noise import noise, noise_hash, own_size

TILE = 128  # pixels at most of an x0 estimate on its sheet
LIBRARIES = ("torch", "diffusers", "transformers", "gradio")


@dataclass(frozen=True)
class Plan:
    """A request with all that it needs at hand, and nothing made yet."""

    request: ComparisonRequest
    cells: tuple[CellSpec, ...]
    timesteps: tuple[int, ...]
    noise_hash: dict[str, str]  # of the starting noise, by seed
    methods: dict[str, str]  # the model's own parameters, by method
    model: Model
    detector: CopyDetector | None
    decoder: PreviewDecoder  # of the x0 estimates
    clip: str  # of the alignment, as `load_clip` takes it; empty for none
    bands: reference_bands.Found

    def record(self, run_id: str, title: str | None = None) -> RunRecord:
        """What run.json says before the first step."""
        request, model, band = self.request, self.model, self.bands.of(*self.request.prompts)
        side = request.size or own_size(model.pipe)
        found: dict[str, object] = {
            "id": run_id,
            "state": CellState.RUNNING,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "title": title or request.prompts[0],
            "request": request.to_json(self.methods),
            "model": {"name": model.name, "hash": model.hash, "parameters": model.parameters},
            "noise_hash": self.noise_hash,
            "timesteps": self.timesteps,
            "device": str(model.pipe.device),
            "versions": versions(LIBRARIES),
            "bands": band.signals,
            "band_note": self.bands.note(*request.prompts),
            "tile": min(TILE, side),
            "sheet_columns": COLUMNS,
            "clip": self.clip,
            "decoder_note": self.decoder.describe(request.look_every),
            "cells": [first_cell_record(cell) for cell in self.cells],
        }
        if self.detector:
            corpus, look = self.detector.corpus, self.detector.descriptor
            found |= {
                "corpus": {"name": corpus.name, "hash": corpus.hash, "images": len(corpus)},
                "descriptor": {
                    "preset": look.preset.name,
                    "dims": look.preset.dims,
                    "hash": look.hash,
                    "note": self.detector.misfit,
                },
                "thresholds": None if self.detector.misfit else asdict(self.detector.thresholds),
            }
        return RunRecord.model_validate(found)


def make_plan(
    request: ComparisonRequest, model: Model | None = None, detector: CopyDetector | None = None
) -> Plan:
    """Load what a request needs and was not given. Raises a MemvizError for what is not there."""
    model = model or resources.load_model(request.model, request.dtype)
    known = model_settings(model.path)
    methods = known.get("methods", {})
    guidances = [method.guidance for method in request.resolve_methods(methods)]
    check_fit(model.pipe, guidances, request.signals)
    cells = tuple(CellSpec(i, *cell) for i, cell in enumerate(request.cells(methods)))
    if detector is None and request.corpus:
        detector = resources.load_detector(request.corpus, request.descriptor)
    grid = request.scheduler, request.steps, request.spacing
    made = scheduler(model.pipe, *grid)
    noises = noise(model.pipe, request.seeds, request.size)
    plain = [c.guidance.w for c in cells if isinstance(c.guidance, Constant)]
    scale = plain[0] if plain else plain_guidance(methods).w
    return Plan(
        request=request,
        cells=cells,
        timesteps=tuple(told_timestep(made, i) for i in range(len(made.timesteps))),
        noise_hash={str(s): noise_hash(x) for s, x in zip(request.seeds, noises, strict=True)},
        methods=methods,
        model=model,
        detector=detector,
        decoder=choose_decoder(model, request.decoder),
        clip=choose_clip(request.clip, known),
        bands=reference_bands.find(model, *grid[:2], scale, request.spacing, request.size),
    )


def first_cell_record(cell: CellSpec) -> CellRecord:
    """What run.json says of a cell before its first step."""
    return CellRecord(
        number=cell.number,
        prompt=cell.prompt,
        method=cell.method,
        label=cell.label,
        spec=cell.spec,
        seed=cell.seed,
        state=CellState.RUNNING,
    )
