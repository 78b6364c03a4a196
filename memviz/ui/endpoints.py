"""The page as an API and as an agent's tools: five endpoints have a name, no other handler has one.

A call passes the page's gate like any other: on a public page its values are those that the page
offers, its size is limited, and it waits in the one line. Files are answered as addresses.
"""

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.route_utils import get_request_origin

from memviz.comparison import sweep as sweeps
from memviz.comparison.request import ComparisonRequest
from memviz.data import corpus as corpora
from memviz.errors import MemvizError
from memviz.guidance.registry import CORE
from memviz.io.read import read_json
from memviz.models.schedulers import SCHEDULERS
from memviz.retrieval.descriptors.choice import CHOICES
from memviz.runs import store
from memviz.runs.summary import summarize_run
from memviz.search import folder as searches
from memviz.ui.neighbours import queries
from memviz.ui.shared import access, controls, kept_runs, served
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.live import MACHINE, Live
from memviz.ui.shared.start_run import check_size, work
from memviz.ui.transition import detect_panel

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView

NAMES = ("compare", "detect", "nearest", "sweep", "runs")
TOGETHER = 4  # calls of one endpoint that may wait for the machine
USED, IMAGES = (1, 5), (1,)  # first steps, and pictures, of a score


class Stopped(MemvizError):
    """A run was ended before it made a step."""


@dataclass(frozen=True)
class Endpoints:
    """What others may call by name; each docstring is what a client and an agent are told."""

    live: Live  # the line in which comparisons wait

    def compare(
        self,
        prompts: str,
        methods: str,
        seeds: str,
        steps: float,
        scheduler: str,
        model: str,
        corpus: str,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Make pictures of prompts by guidance methods from the same noise; say which are copies.

        Args:
            prompts: What the pictures should show, one prompt a line.
            methods: Guidance methods, such as "cfg,stp:at=500,dtp".
            seeds: Starting noises, such as "0,1" or "0-3"; the same for every method.
            steps: Steps of denoising, 2 to 1000.
            scheduler: The rule by which a step removes noise.
            model: The diffusion model.
            corpus: The training images to look through, or "none".

        Returns:
            A cell per prompt, method and seed: picture, nearest image, similarity, kind of verdict.
        """
        asked = {
            "prompts": [line.strip() for line in (prompts or "").splitlines() if line.strip()],
            "methods": methods,
            "seeds": controls.seeds(seeds),
            "steps": controls.plain(steps),
            "scheduler": scheduler,
            "model": model,
            "corpus": "" if corpus == controls.NO_CORPUS else corpus,
        }
        return describe_run(self.make_run(asked), request)

    def detect(self, prompts: str, model: str, steps: float) -> dict[str, Any]:
        """Score how much each prompt looks memorized, before any picture is finished.

        The score is the magnitude, the norm of the difference of the network's two predictions, of
        the first step and as the mean of five (Wen et al., ICLR 2024): memorized prompts pull hard.

        Args:
            prompts: One prompt a line, at most 500.
            model: The diffusion model.
            steps: Steps of the schedule, 5 to 1000; five of them are made.

        Returns:
            A row per prompt: its scores, and a verdict against the band of ordinary prompts.
        """
        found = detect_panel.asked(prompts, None)
        from memviz.detection.scores import Detection, detect

        wanted = Detection(found, model, int(steps), used=USED, images=IMAGES)
        ComparisonRequest(["detection"], steps=wanted.steps)  # says what is wrong with the steps
        if access.current_visitor():
            check_size(len(found) * max(USED))
        with MACHINE:
            return detect(wanted, lambda _: None)

    def nearest(
        self, picture: str, corpus: str, descriptor: str, request: gr.Request
    ) -> dict[str, Any]:
        """Find the training images that a picture is most like, and say whether it is a copy.

        Args:
            picture: The picture to look up: PNG, JPEG or WebP, at most 10 MB.
            corpus: The training images to look through.
            descriptor: What compares pictures; "auto" takes the one made for the corpus.

        Returns:
            The verdict, the nearest images with captions and similarities (1 is equal), thresholds.
        """
        asked = queries.uploaded(picture, corpus, descriptor, "preset")
        folder = searches.new_folder()
        with MACHINE:
            deque(searches.search(asked, folder), maxlen=0)
        told = read_json(folder / "summary.json")
        pair, place = told["pairs"][0] if told["pairs"] else {}, partial(locate, request)
        matches = [
            {name: match[name] for name in ("id", "caption", "similarity")}
            | {"picture": match["picture"] and place(folder / match["picture"])}
            for match in pair.get("matches", ())
        ]
        return {
            "search": folder.name,
            "verdict": pair.get("verdict"),
            "kind": pair.get("kind"),
            "similarity": pair.get("similarity"),
            "matches": matches,
            "thresholds": told["thresholds"],
            "provenance": told["provenance"],
            "unreadable": [one["problem"] for one in told["unreadable"]],
            "files": list_files(folder, ("report.html", "matches.parquet"), place),
        }

    def sweep(
        self,
        prompt: str,
        method: str,
        axis: str,
        values: str,
        seeds: str,
        steps: float,
        model: str,
        corpus: str,
        request: gr.Request,
    ) -> dict[str, Any]:
        """Make one prompt at many values of one setting of a method; name the best compromise.

        Args:
            prompt: What the pictures should show.
            method: The method whose setting varies, such as "stp" or "dtp:late=5".
            axis: The setting, such as "at" (transition timestep), "early" or "late" (scales).
            values: Its values, such as "100:900:200" or "300,500".
            seeds: Starting noises, such as "0,1" or "0-3".
            steps: Steps of denoising, 2 to 1000.
            model: The diffusion model.
            corpus: The training images to look through, or "none".

        Returns:
            As compare, with the mean similarity and alignment of each value and the best of them.
        """
        made = sweeps.request_sweep(
            prompt or "",
            {axis: sweeps.parse_values(values)},
            controls.seeds(seeds),
            method,
            steps=controls.plain(steps),
            model=model,
            corpus="" if corpus == controls.NO_CORPUS else corpus,
        )
        run = self.make_run(vars(made))
        return describe_run(run, request) | sweeps.summarize_grid(run.record)

    def runs(self, run: str, request: gr.Request) -> dict[str, Any]:
        """List the runs that can be seen here, or tell everything about one of them.

        A public page lists the bundled examples only: there, a run's id is its key.

        Args:
            run: The id of a run; empty for the list.

        Returns:
            Ids with title, state and number of pictures; of one run what compare answers.
        """
        if wanted := (run or "").strip():
            return describe_run(store.read(wanted), request)
        found = [*kept_runs.own(), *store.bundled()]
        fields = {"id", "state", "created", "title"}
        listed = [one.record.model_dump(mode="json", include=fields)
                  | {"cells": len(one.record.cells)} for one in found]  # fmt: skip
        return {"runs": listed}

    def make_run(self, asked: dict[str, Any]) -> store.Run:
        """The finished run of a request, once its turn in line came. Raises what ended it."""
        ticket = self.live.start(work(asked), look)
        deque(ticket.watch(), maxlen=0)
        if ticket.error:
            raise ticket.error
        if not ticket.run_id:
            raise Stopped("This was stopped before its first step. Ask again.")
        return store.read(ticket.run_id)


def look(progress: "StepView") -> dict[str, Any]:
    """Of a run in progress only its id is needed."""
    return {"id": progress.snapshot().record.id}


def describe_run(run: store.Run, request: gr.Request) -> dict[str, Any]:
    """A run in few words with the addresses of its files."""
    place = partial(locate, request)
    files = list_files(run.folder, ("run.json", "trace.parquet"), place)
    return {"title": run.record.title, "state": run.record.state} | summarize_run(run, place) | {
        "files": files
    }  # fmt: skip


def list_files(folder: Path, names: tuple[str, ...], place: Callable[[Path], str]) -> list[str]:
    """The addresses of a folder's tables and reports; a public page serves pictures only."""
    return [] if access.public() else [place(folder / n) for n in names if (folder / n).is_file()]


def locate(request: gr.Request, file: Path) -> str:
    """The address of a served file, with the host by which this page was reached."""
    raw = request.request
    if raw is None:  # called without HTTP
        return served.file_path(file)
    root = os.environ.get("GRADIO_ROOT_PATH", "").rstrip("/")
    return f"{get_request_origin(raw, raw.url.path)}{root}{served.file_path(file)}"


def build(live: Live) -> None:
    """Give the five their names; their inputs are seen by no visitor of the page."""
    made = Endpoints(live)
    with gr.Group(visible=False):
        fields = build_inputs()
        for name in NAMES:
            gr.on(
                [],
                getattr(made, name),
                fields[name],
                gr.JSON(label="result"),
                api_name=name,
                concurrency_limit=TOGETHER,
            )


def build_inputs() -> dict[str, list[gr.components.Component]]:
    """The inputs of each endpoint in the order of its arguments."""
    usual, models = ComparisonRequest, controls.models()
    sets = [*corpora.known()]

    def words(label: str, value: str | None = None, lines: int = 1) -> gr.Textbox:
        box = gr.Textbox(value, label=label, lines=lines, elem_id=f"api-{label}")
        take_words(box)
        return box

    def listed(label: str, choices: list[Any], value: str) -> gr.Dropdown:
        return gr.Dropdown(choices, value=value, label=label, allow_custom_value=True)

    def steps() -> gr.Number:
        return gr.Number(usual.steps, label="steps", precision=0)

    def model() -> gr.Dropdown:
        return listed("model", models, usual.model)

    def corpus() -> gr.Dropdown:
        return listed("corpus", [*sets, controls.NO_CORPUS], usual.corpus)

    return {
        "compare": [
            words("prompts", lines=3),
            words("methods", ",".join(CORE)),
            words("seeds", "0"),
            steps(),
            listed("scheduler", [*SCHEDULERS], usual.scheduler),
            model(),
            corpus(),
        ],
        "detect": [words("prompts", lines=3), model(), steps()],
        "nearest": [
            gr.Image(type="filepath", image_mode=None, label="picture", sources=["upload"]),
            listed("corpus", sets, usual.corpus),
            listed("descriptor", [*CHOICES], usual.descriptor),
        ],
        "sweep": [
            words("prompt"),
            words("method", "stp"),
            words("axis", "at"),
            words("values", "100:900:200"),
            words("seeds", "0"),
            steps(),
            model(),
            corpus(),
        ],
        "runs": [words("run", "")],
    }
