"""What happens in the Train tab: every handler, each for the owner only."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr

from memviz import jobs
from memviz.errors import InputError, MemvizError
from memviz.training import job as training_job
from memviz.ui.shared import controls
from memviz.ui.shared.messages import notice
from memviz.ui.train import form as train_form
from memviz.ui.train import jobs as train_jobs
from memviz.ui.train.plan_card import card, missing

ACTIONS = ("Stop", "Resume", "Run again", "Find where copying begins")
SUITED = ("weights", "probes", "repeated", "hold_out")  # what a corpus may not have
MENUS = 2  # of models: this tab's and Compare's
EMPTY = {"note": "No training was started yet. Choose a preset and press Start training."}
PLANNING = "Reading the pictures and measuring a few steps …"


def look(allowed: bool, job_id: str | None, seen: str | None = None) -> list[Any]:
    """The job now, for `Tab.shown`; nothing moves where nothing happened."""
    if not (allowed and job_id):
        return [EMPTY, None, *buttons(None)]
    try:
        job = jobs.find(job_id)
    except MemvizError as error:  # its folder was removed meanwhile
        return [{"note": str(error)}, None, *buttons(None)]
    now = train_jobs.fingerprint(job)
    shown = [train_jobs.look(job), now, *buttons(job)] if now != seen else None
    return shown or [gr.skip()] * (2 + len(ACTIONS) + 1 + MENUS)


def buttons(job: jobs.Job | None) -> list[gr.components.Component]:
    """Which of the actions make sense now; the models that can be chosen."""
    sense, stop, made = (False,) * len(ACTIONS), ACTIONS[0], False
    if job:
        now, made = job.state(), bool(train_jobs.made(job))
        stop = "Kill it now" if now.name == "stopping" else stop
        sense = (not now.over, now.resumable, now.over, now.over and train_jobs.sweepable(job))
    labels = (stop, *ACTIONS[1:])
    actions = [gr.Button(label, interactive=may) for label, may in zip(labels, sense, strict=True)]
    menus = [gr.Dropdown(choices=controls.models()) for _ in range(MENUS)]
    return [*actions, gr.Button(interactive=made), *menus]


def careful(handler: Callable[..., list[Any]], outputs: int) -> Callable[..., list[Any]]:
    """The same handler, for the owner only, with its mistakes as a sentence in front."""

    def handle(allowed: bool, *values: object) -> list[Any]:
        try:
            if not allowed:
                raise InputError("Only the owner of this page may do that.")
            return [notice(), *handler(*values)]
        except (MemvizError, OSError) as error:
            return [notice(str(error)), *[gr.skip()] * (outputs - 1)]

    return handle


def begin(title: str, *values: object) -> list[Any]:
    """Start what the form asks for and show it."""
    return show(train_jobs.start(title, values))


def watch(folder: str | None, *values: object) -> list[Any]:
    """Watch a training of another program, and show it."""
    return show(train_jobs.watch(folder, values))


def show(job: jobs.Job) -> list[Any]:
    """A job in the menu and below it; the form makes room."""
    menu = gr.Dropdown(choices=train_jobs.choices(), value=job.id)
    return [menu, gr.Accordion(open=False), *look(True, job.id)]


def act(number: int) -> Callable[[str], list[Any]]:
    """The handler of one of the actions."""

    def do(job_id: str) -> list[Any]:
        job = jobs.find(job_id)
        made = (job.stop, job.resume, job.clone, partial(training_job.sweep, job))[number]()
        return show(made if isinstance(made, jobs.Job) else job)

    return do


def spelled(*values: object) -> str:
    """The exact command for what the form asks; or why there is none."""
    try:
        return jobs.shown(training_job.command(train_form.config(values), "MY-MODEL"))
    except MemvizError as error:
        return str(error)


def change(*values: object) -> list[Any]:
    """The command after a change of the form, and whether it can be started; the plan is old."""
    try:
        train_form.config(values)
    except MemvizError as error:
        return [str(error), gr.Button(interactive=False), ""]
    return [spelled(*values), gr.Button(interactive=True), ""]


def suit(*values: object) -> list[Any]:
    """`SUITED` of the form after another corpus was chosen."""
    try:
        config = training_job.suited(train_form.config(values))
    except MemvizError:  # a setting that cannot be is told where the command stands
        return [gr.skip()] * len(SUITED)
    return [getattr(config, name) for name in SUITED]


def check(allowed: bool, *values: object) -> Iterator[list[Any]]:
    """The card before the start, as the trainer says it; what cannot be holds the start back."""
    if not allowed:
        return
    yield [notice(PLANNING, False), gr.skip()]
    try:
        for found in train_jobs.plan(values):
            if isinstance(found, str):
                yield [notice(f"{PLANNING} {found}", False), gr.skip()]
            else:
                yield [card(found), gr.Button(interactive=not missing(found))]
    except (MemvizError, OSError) as error:
        held = f"{error} Start is held back until a setting changes."
        yield [notice(held), gr.Button(interactive=False)]


def opened(wanted: str | None) -> list[Any]:
    """The job that is wanted, or the newest, and the form unless something runs."""
    known = train_jobs.choices()
    found = wanted if wanted in [job_id for _, job_id in known] else train_jobs.first()
    busy = bool(found) and not jobs.find(found).state().over
    menu = gr.Dropdown(choices=known, value=found)
    return [menu, gr.Accordion(open=not busy), *look(True, found)]
