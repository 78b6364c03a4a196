"""What happens in the Evaluate tab. On a public page none of this is bound."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from memviz import jobs
from memviz.errors import InputError, MemvizError
from memviz.evaluation.job import find_job
from memviz.evaluation.store import find_evaluation, read_evaluation
from memviz.signals import COSTLY
from memviz.ui.compare import tab as compare_tab
from memviz.ui.compare.live_view import LiveView
from memviz.ui.evaluate import jobs as evaluate_jobs
from memviz.ui.evaluate.form import read_form, spell_choice
from memviz.ui.evaluate.jobs import SHIPPED
from memviz.ui.evaluate.plan_card import render_card
from memviz.ui.evaluate.view import find_cells, make_view, pictures_view
from memviz.ui.shared import access, start_run
from memviz.ui.shared.live import Live
from memviz.ui.shared.messages import notice

ACTIONS = ("Stop", "Resume")
EMPTY = {"note": "No evaluation was started yet. Choose prompts and methods, and press Evaluate."}
NO_PICTURES: dict[str, Any] = {"pictures": []}
PLANNING = "Counting pictures and timing a few …"


def look(name: str | None, beside: str | None, seen: str | None = None) -> list[Any]:
    """Values for `Tab.shown`; nothing moves where nothing happened."""
    if not name:
        return [EMPTY, None, *list_buttons(None)]
    try:
        folder = None if name.startswith(SHIPPED) else find_evaluation(name)
        now = f"{evaluate_jobs.fingerprint(folder) if folder else name} {beside}"
        if now == seen:
            return [gr.skip()] * (2 + len(ACTIONS))
        job = find_job(folder) if folder else None
        return [make_view(name, beside or ""), now, *list_buttons(job)]
    except MemvizError as error:
        return [{"note": str(error)}, None, *list_buttons(None)]


def list_buttons(job: jobs.Job | None) -> list[gr.Button]:
    """Which of the actions make sense now."""
    state = job.state() if job else None
    sense = (not state.over, state.resumable) if state else (False, False)
    return [gr.Button(name, interactive=may) for name, may in zip(ACTIONS, sense, strict=True)]


def careful(handler: Callable[..., list[Any]], outputs: int) -> Callable[..., list[Any]]:
    """The same handler with a person's mistakes as a sentence in front."""

    def handle(*values: object) -> list[Any]:
        try:
            return [notice(), *handler(*values)]
        except (MemvizError, OSError) as error:
            return [notice(str(error)), *[gr.skip()] * (outputs - 1)]

    return handle


def begin(*values: object) -> list[Any]:
    """Start what the form asks for and show it; of two models, the second beside the first."""
    started = evaluate_jobs.start_all(read_form(values))
    names = [job.command[-1].rpartition("/")[2] for job in started]
    return show(names[0], names[1] if len(names) > 1 else "")


def show(name: str, beside: str = "") -> list[Any]:
    """An evaluation in the menus and below them; the form makes room."""
    known = evaluate_jobs.list_choices()
    menus = [
        gr.Dropdown(choices=known, value=name or None),
        gr.Dropdown(choices=[("nothing", ""), *known], value=beside),
    ]
    return [*menus, gr.Accordion(open=False), NO_PICTURES, *look(name, beside)]


def act(number: int) -> Callable[[str, str], list[Any]]:
    """The handler of one of the actions."""

    def do(name: str, beside: str) -> list[Any]:
        job = find_job(find_evaluation(name))
        if job is None:
            raise InputError("No job of this machine makes this evaluation.")
        (job.stop, job.resume)[number]()
        return show(name, beside)

    return do


def spell_command(*values: object) -> str:
    """The exact command for what the form asks; or why there is none."""
    try:
        choice = read_form(values)
        prompts = ["--prompts", "UPLOAD"] if choice.upload else []
        words = [*spell_choice(choice, next(iter(choice.models), "")), *prompts]
        return jobs.shown(jobs.verb("evaluate", *words, "--out", "MY-FOLDER"))
    except MemvizError as error:
        return str(error)


def check(*values: object) -> Iterator[str]:
    """The card before the start."""
    yield notice(PLANNING, False)
    try:
        for found in evaluate_jobs.plan_all(read_form(values)):
            yield notice(found, False) if isinstance(found, str) else render_card(found)
    except (MemvizError, OSError) as error:
        yield notice(str(error))


def opened(wanted: str | None) -> list[Any]:
    """The evaluation that is wanted, or the newest, and the form where there is nothing to see."""
    known = [name for _, name in evaluate_jobs.list_choices()]
    name = wanted if wanted in known else evaluate_jobs.choose_first()
    return [*show(name or "")[:2], gr.Accordion(open=not name), NO_PICTURES, *look(name, "")]


def open_row(event: gr.EventData) -> list[Any]:
    """A message, and the pictures of the row that was pressed."""
    try:
        return [notice(), pictures_view(*read_place(event._data)[:2])]
    except MemvizError as error:
        return [notice(str(error)), gr.skip()]


def read_place(data: object) -> tuple[str, int, int]:
    """Evaluation, row and picture of what was pressed. Raises InputError on anything else."""
    try:
        assert isinstance(data, dict)
        return str(data["evaluation"]), int(data["row"]), int(data.get("place", 0))
    except (AssertionError, KeyError, TypeError, ValueError):
        raise InputError("This row is not there any more. Load the page again.") from None


def ask_again(name: str, number: int, place: int) -> dict[str, Any]:
    """The comparison that makes one picture again, with all signals."""
    folder, row, cells = find_cells(name, number)
    saved = read_evaluation(folder)
    if saved is None or not 0 <= place < len(cells) or cells[place].seed is None:
        raise InputError("It is not known how this picture was made.")
    asked, cell = saved.result["protocol"], cells[place]
    same = {key: asked[key] for key in ("steps", "scheduler", "model", "corpus", "descriptor")}
    return {
        **same,
        "prompts": [cell.prompt],
        "methods": [row["method"]],
        "seeds": [cell.seed],
        "signals": list(COSTLY),
        "size": asked.get("size"),
    }


def compare_cell(live: Live, event: gr.EventData) -> Iterator[list[Any]]:
    """The Compare view of the picture that was pressed; for `compare.Tab.outputs`."""
    try:
        asked = ask_again(*read_place(event._data))
        ticket = live.start(start_run.work(asked), LiveView().add, asked["prompts"][0])
    except MemvizError as error:
        yield compare_tab.shown(message=notice(str(error)))
        return
    view = compare_tab.tell(live, ticket, None)
    yield compare_tab.shown(view, notice(view["waiting"], False), ticket, done=False)
    yield from compare_tab.follow(live, ticket, access.current_session())


def compare_handler(live: Live) -> Callable[[gr.EventData], Iterator[list[Any]]]:
    """The handler of a pressed picture."""

    def handle(event: gr.EventData) -> Iterator[list[Any]]:
        yield from compare_cell(live, event)

    return handle
