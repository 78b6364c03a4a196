"""What the Evaluate tab does: plan, start and find evaluations. No controls here."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from memviz import jobs
from memviz.errors import InputError
from memviz.evaluation import job as evaluation_job
from memviz.evaluation.publish import read_published
from memviz.evaluation.store import list_evaluations, read_evaluation
from memviz.training.job import device
from memviz.ui.evaluate.form import Choice, spell_choice

SHIPPED = "shipped:"


def start_all(choice: Choice) -> list[jobs.Job]:
    """Begin an evaluation for each model, one after the other on their device."""
    found = []
    for model in choice.models or [""]:
        title = " ".join(filter(None, (choice.protocol, "of", model))).removesuffix(" of")
        words = spell_choice(choice, model)
        found.append(evaluation_job.start_evaluation(words, title, device(), choice.upload))
    return found


def plan_all(choice: Choice) -> Iterator[str | list[dict[str, Any]]]:
    """What the command itself says while it looks, then a plan for each model.

    Raises InputError with its sentence. Leave the generator and it stops looking.
    """
    plans = []
    for model in choice.models or [""]:
        words = spell_choice(choice, model)
        if choice.upload:
            words += ["--prompts", str(choice.upload)]
        with tempfile.TemporaryDirectory() as place:
            argv = [*evaluation_job.command(words, f"{place}/out"), "--dry-run", "--json"]
            yield f"Looking at {model or choice.protocol} …"
            plans.append(run_plan(argv))
    yield plans


def run_plan(argv: Sequence[str]) -> dict[str, Any]:
    """The plan that a dry run prints."""
    told = subprocess.run(
        argv, text=True, env=jobs.environment(), stdin=subprocess.DEVNULL, capture_output=True
    )
    if told.returncode:
        lines = told.stderr.strip().splitlines()
        raise InputError(lines[-1] if lines else "The evaluation could not be planned.")
    return json.loads(told.stdout)["plan"]


def list_choices() -> list[tuple[str, str]]:
    """All evaluations as a menu: those of this machine, then what ships."""
    own = [(f"{title_of(folder)} ({folder.name[:15]})", folder.name)
           for folder in list_evaluations()]  # fmt: skip
    return [*own, *((f"the demo's: {part}", f"{SHIPPED}{part}") for part in read_published())]


def title_of(folder: Path) -> str:
    """What its job is called; else the protocol that it ran."""
    if job := evaluation_job.find_job(folder):
        return str(job.asked["title"])
    saved = read_evaluation(folder)
    return str(saved.result["protocol"].get("name", "")) if saved else "not begun"


def choose_first() -> str | None:
    """The one to show unasked: one under way, else the newest, else what ships."""
    for folder in list_evaluations():
        job = evaluation_job.find_job(folder)
        if job and not job.state().over:
            return folder.name
    return next((name for _, name in list_choices()), None)


def fingerprint(folder: Path) -> str:
    """What changes whenever there is something new to see."""
    job = evaluation_job.find_job(folder)
    names = [folder / "evaluation.json"]
    names += [job.folder / name for name in ("metrics.jsonl", "log.txt")] if job else []
    sizes = [file.stat().st_mtime_ns if file.exists() else -1 for file in names]
    return json.dumps([folder.name, job.state().name if job else "", *sizes])
