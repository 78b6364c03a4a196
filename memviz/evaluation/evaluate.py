"""A protocol from its prompts to its table: what is missing is made, the rest is found again."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.evaluation.bulk import ALONE, ROWS, Bulk, Share, fill_folder, method_folder
from memviz.evaluation.cells import write_cells
from memviz.evaluation.columns import DETECTION
from memviz.evaluation.measure import (
    Judging,
    Measured,
    estimate,
    estimate_change,
    load_judging,
    measure,
)
from memviz.evaluation.pictures import picture_folders, read_pictures
from memviz.evaluation.prompt_source import PromptSource, read_prompts
from memviz.evaluation.protocols import Need, Protocol, Published
from memviz.evaluation.requirements import MissingPart, available_columns, missing_needs
from memviz.evaluation.tables import write_tables
from memviz.guidance.registry import METHODS
from memviz.io import atomic
from memviz.io.versions import versions

ESSENTIAL = ("model", "prompts", "ordinary")  # without these there is nothing to judge
COMPARED = (  # settings in which two tables may differ
    *("model", "corpus", "prompts", "draw", "limit", "seeds", "size", "scheduler", "steps"),
    *("descriptor", "clip", "clip_preparation", "reference"),
)
LIBRARIES = ("torch", "diffusers", "transformers", "faiss-cpu", "numpy", "scipy")


@dataclass(frozen=True)
class Evaluation:
    """What to evaluate: a protocol as it shall run here, and as it is stated."""

    protocol: Protocol
    out: Path
    stated: Protocol | None = None  # for the column that says where it departs
    images: Path | None = None  # folders of pictures that were made elsewhere
    skip_missing: bool = False  # leave out columns whose network or corpus is not here
    batch: int = ROWS


@dataclass(frozen=True)
class Progress:
    """How far it is: pictures of a stage, and the result with the rows that are done."""

    stage: str
    done: int
    total: int
    result: Mapping[str, Any] | None = None


def evaluate(asked: Evaluation, share: Share = ALONE) -> Iterator[Progress]:
    """Make, look at and tabulate; the last progress of the first process has the whole result.

    Raises MissingPart, before any work, where something has to be fetched first.
    """
    begun = time.monotonic()
    columns, left_out = check_needs(asked)
    if any(name in DETECTION for name in columns):
        yield from evaluate_detection(asked, columns)
        return
    bulks = {} if asked.images else plan_pictures(asked)
    folders = picture_folders(asked.images) if asked.images else bulk_folders(asked, bulks)
    if share.count > 1:
        for method, bulk in bulks.items():
            yield from make_pictures(method, bulk, folders[method], share)
        if not meet_others(share):
            return
    judging = load_judging(asked.protocol, columns, asked.out / "features")
    result = start_result(asked, columns, left_out, judging)
    atomic.json(asked.out / "evaluation.json", result)
    plain: Measured | None = None
    for done, (method, folder) in enumerate(folders.items()):
        if method in bulks:
            yield from make_pictures(method, bulks[method], folder, ALONE)
        yield Progress(f"looking at {method}", done, len(folders), result)
        pictures = read_pictures(folder)
        measured = measure(judging, pictures, plain)
        write_cells(pictures, measured, asked.out / "cells" / f"{folder.name}.json")
        result["rows"].append(make_row(asked, method, folder, measured, plain, columns))
        result["prompts"] = max(result["prompts"], len(dict.fromkeys(measured.prompts)))
        if plain is None and is_plain(method):
            plain = measured
        atomic.json(asked.out / "evaluation.json", result)
    result |= {"state": "done", "seconds": round(time.monotonic() - begun, 1)}
    attach_departures(asked, result, left_out)
    result["files"] = write_tables(result, asked.out)
    yield Progress("done", len(folders), len(folders), result)


def check_needs(asked: Evaluation) -> tuple[tuple[str, ...], list[Need]]:
    """The columns that can be had, and what keeps the others away."""
    missing = missing_needs(asked.protocol, asked.images is not None)
    essential = [need for need in missing if need.part in ESSENTIAL]
    if essential or (missing and not asked.skip_missing):
        raise MissingPart(asked.protocol.name, missing)
    columns = available_columns(asked.protocol, missing)
    if not columns:
        raise MissingPart(asked.protocol.name, missing)
    return columns, missing


def plan_pictures(asked: Evaluation) -> dict[str, Bulk]:
    """What to make by method, plain guidance first."""
    protocol = asked.protocol
    prompts = tuple(
        read_prompts(
            PromptSource(protocol.prompts, protocol.template, protocol.draw, protocol.limit)
        )
    )
    return {
        method: Bulk(
            prompts,
            method,
            protocol.model,
            protocol.seeds,
            protocol.seeds_by_row,
            protocol.size,
            protocol.scheduler,
            protocol.steps,
            protocol.corpus or Bulk.corpus,
            protocol.descriptor,
            asked.batch,
        )
        for method in sorted(protocol.methods, key=lambda text: not is_plain(text))
    }


def bulk_folders(asked: Evaluation, bulks: Mapping[str, Bulk]) -> dict[str, Path]:
    """Where the pictures of each method go."""
    return {
        method: method_folder(asked.out / "pictures", f"{method}-{print_of(bulk)}", True)
        for method, bulk in bulks.items()
    }


def make_pictures(method: str, bulk: Bulk, folder: Path, share: Share) -> Iterator[Progress]:
    """Fill the folder of a method."""
    for done in fill_folder(bulk, folder, share):
        yield Progress(f"making {method}", done, len(bulk) // share.count)


def print_of(bulk: Bulk) -> str:
    """Eight digits for all that decides the pictures: other settings fill other folders."""
    from memviz import resources

    settings = asdict(bulk) | {"batch": 0, "model": resources.load_model(bulk.model).hash}
    return sha256(json.dumps(settings).encode()).hexdigest()[:8]


def meet_others(share: Share) -> bool:
    """Wait until all processes have made their pictures; whether this one goes on to judge."""
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()
    return share.rank == 0


def is_plain(method: str) -> bool:
    """Plain guidance, as a method is spelled or a folder of its pictures called."""
    return method.partition(":")[0].partition("-")[0] == "cfg"


def start_result(
    asked: Evaluation,
    columns: Sequence[str],
    left_out: Sequence[Need],
    judging: Judging | None = None,
) -> dict[str, Any]:
    """Every setting, before there are rows."""
    detector = judging and judging.detector
    return {
        "state": "running",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "protocol": asdict(asked.protocol),
        "columns": list(columns),
        "left_out": {need.part: str(need) for need in left_out},
        "judge": detector and asdict(detector.index.manifest),
        "versions": versions(LIBRARIES),
        "prompts": 0,
        "rows": [],
    }  # fmt: skip


def make_row(
    asked: Evaluation,
    method: str,
    folder: Path,
    measured: Measured,
    plain: Measured | None,
    columns: Sequence[str],
) -> dict[str, Any]:
    """One method: estimates, changes from plain guidance, published rows."""
    values = {name: estimate(name, measured) for name in columns}
    changes = {name: plain and estimate_change(name, measured, plain) for name in columns}
    published = published_rows(asked.protocol, method)
    return {
        "method": method,
        "label": label_method(method),
        "folder": str(folder.resolve()),
        "cells": f"cells/{folder.name}.json",
        "pictures": len(measured.prompts),
        "values": {name: value and value.to_json() for name, value in values.items()},
        "changes": {name: value and value.to_json() for name, value in changes.items()},
        "published": [asdict(row) for row in published],
        "departs": [],
    }


def published_rows(protocol: Protocol, method: str) -> list[Published]:
    """The paper's rows of a method: of its full spelling, else of its key."""
    exact = [row for row in protocol.published if row.method == method]
    return exact or [row for row in protocol.published if row.method == method.partition(":")[0]]


def label_method(method: str) -> str:
    """The method's name with what was set; a folder's name as it is."""
    key, _, rest = method.partition(":")
    return f"{METHODS[key].label} {rest}".strip() if key in METHODS else method


def attach_departures(asked: Evaluation, result: dict[str, Any], left_out: Sequence[Need]) -> None:
    """Say in each row where it departs from what was stated, and from the paper."""
    found = differences(asked.stated or asked.protocol, asked.protocol)
    found += [f"no {need.part}: columns left out" for need in left_out]
    if asked.images:
        found.append("pictures that were made elsewhere: seeds, size and steps are theirs")
    for row in result["rows"]:
        row["departs"] = [*found, *asked.protocol.departs]


def differences(stated: Protocol, here: Protocol) -> list[str]:
    """`steps 4, not 50` for each setting that is another one."""
    found = []
    for name in COMPARED:
        said, used = getattr(stated, name), getattr(here, name)
        if said != used:
            found.append(f"{name} {show_setting(used)}, not {show_setting(said)}")
    return found


def show_setting(value: object) -> str:
    """A setting as words."""
    if isinstance(value, tuple):
        return f"{len(value)} values" if len(value) > 4 else ",".join(map(str, value))
    return "unset" if value in (None, "") else str(value)


def evaluate_detection(asked: Evaluation, columns: Sequence[str]) -> Iterator[Progress]:
    """How well the magnitude tells memorized prompts from ordinary ones."""
    from memviz.data.prompts import Label, Prompt
    from memviz.detection.scores import Detection, detect

    begun, protocol = time.monotonic(), asked.protocol
    places: dict[Label, str] = {"memorized": protocol.prompts, "ordinary": protocol.ordinary}
    prompts = [
        Prompt(text, label)
        for label, place in places.items()
        for text in read_prompts(PromptSource(place, limit=protocol.limit))
    ]
    images = sorted({int(name.rpartition("_n")[2]) for name in columns if name in DETECTION})
    if max(images) > len(protocol.seeds):
        raise InputError(
            f"The columns need {max(images)} seeds; the protocol has {len(protocol.seeds)}."
        )
    yield Progress("scoring prompts", 0, len(prompts))
    used = (1, min(10, protocol.steps), 0)
    found = detect(
        Detection(
            prompts,
            protocol.model,
            protocol.steps,
            protocol.scheduler,
            used,
            images,
            size=protocol.size,
        ),
        lambda text: None,
    )
    readings = {name.replace("k10_", f"k{used[1]}_"): name for name in columns if name in DETECTION}
    values = {
        name: detection_value(found["readings"][reading.partition("_")[2]], name.partition("_")[0])
        for reading, name in readings.items()
    }
    result = start_result(asked, columns, ())
    row = {
        "method": "cfg",
        "label": "magnitude",
        "folder": "",
        "pictures": len(prompts) * max(images),
        "values": values,
        "changes": {},
        "published": [asdict(row) for row in protocol.published],
        "departs": [],
    }
    result |= {"rows": [row], "prompts": len(prompts), "state": "done"}
    result["seconds"] = round(time.monotonic() - begun, 1)
    attach_departures(asked, result, ())
    result["files"] = write_tables(result, asked.out)
    yield Progress("done", 1, 1, result)


def detection_value(reading: Mapping[str, Any], kind: str) -> dict[str, float | None]:
    """AUC, accuracy (Wen et al.: the best point of the curve) or TPR, with its interval."""
    if kind == "acc":
        rates = zip(reading["roc"]["fpr"], reading["roc"]["tpr"], strict=True)
        best = max(1 - (false + 1 - true) / 2 for false, true in rates)
        return {"mean": best, "low": None, "high": None}
    name = "auc" if kind == "auc" else "tpr_at_1_fpr"
    low, high = reading[f"{name}_interval"]
    return {"mean": reading[name], "low": low, "high": high}


def demo_twin(
    protocol: Protocol, model: str = "demo", corpus: str = "demo-10k", descriptor: str = "demo"
) -> Protocol:
    """The same protocol in minutes: the demo's model and pictures, few prompts, seeds and steps.

    For tests of a protocol's whole way; its figures mean nothing.
    """
    return replace(
        protocol,
        model=model,
        corpus=corpus,
        prompts="demo:duplicated",
        template="",
        ordinary="demo:heldout"
        if protocol.ordinary or set(protocol.columns) & set(DETECTION)
        else "",
        limit=min(protocol.limit or 2, 2),
        methods=protocol.methods[:2],
        seeds=protocol.seeds[:4] if set(protocol.columns) & set(DETECTION) else protocol.seeds[:2],
        size=None,
        steps=4,
        descriptor=descriptor,
        clip="",
        reference=64,
    )
