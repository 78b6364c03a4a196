"""The Neighbours tab: whose picture is it? Looked up, checked by the folder, or within the data."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from memviz.comparison.request import ComparisonRequest
from memviz.data import corpus
from memviz.retrieval.descriptors.presets import CONVENTIONS
from memviz.search.edited_images import CASES
from memviz.ui.neighbours import background as neighbours_background
from memviz.ui.neighbours import folder_check, queries
from memviz.ui.neighbours.queries import answering
from memviz.ui.neighbours.view import empty, example_cell
from memviz.ui.shared import access
from memviz.ui.shared.component import Component
from memviz.ui.shared.controls import QUIET, descriptors, menu
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.messages import tab_title

TITLE = (
    "Is this picture in the training data?",
    "Look up a picture, a folder or words: what comes back stands beside the training image it is "
    "most like, with a verdict.",
)
MARKS = [
    ("the descriptor's own", "preset"),
    ("from the training images' own likeness", "background"),
    *((f"{value:g} ({whose})", f"{value:g}") for value, whose in CONVENTIONS.items()),
]
EVERY = 1.0  # seconds between two looks at the jobs
WAITING = {**QUIET, "show_progress": "minimal"}


class Matches(Component):
    """Pairs or groups of a search; give it a `view` as its value."""

    module = "neighbours/neighbours.js"


@dataclass(frozen=True)
class Tab:
    """The parts that handlers read and write."""

    picture: gr.Image
    cell: gr.Dropdown
    words: gr.Textbox
    find: gr.Button
    cases: dict[str, gr.Button]
    within: gr.Button
    folder: gr.Textbox
    go: gr.Button
    judges: list[gr.components.Component]  # corpus, preset and threshold
    message: gr.HTML
    under_way: gr.HTML
    stop: gr.Button
    resume: gr.Button
    done: gr.Dropdown
    result: gr.HTML


def build(page: gr.Tab, demo: gr.Blocks) -> None:
    """Lay out the tab and connect it."""
    gr.HTML(tab_title(*TITLE))
    with gr.Row(equal_height=False):
        picture = drop()
        with gr.Column(scale=2, min_width=300):
            parts: dict[str, Any] = ways()
    with gr.Row(elem_classes="mv-line"):
        parts |= {"judges": judges()}
        parts["within"] = gr.Button(
            "Duplicates in the training data", scale=1, min_width=240, elem_id="near-duplicates"
        )
    parts |= {"message": gr.HTML(elem_id="near-message")} | background()
    tab = Tab(
        picture=picture,
        **parts,
        result=Matches(empty(), elem_id="neighbours"),
    )
    connect(tab, page)
    demo.load(queries.addressed, None, [tab.result, tab.message], queue=False, **QUIET)


def drop() -> gr.Image:
    """A picture as its file is: nothing is looked up that was encoded again."""
    return gr.Image(
        type="filepath",
        image_mode=None,
        label="Drop a picture",
        alt_text="The picture to look up",
        height=310,
        scale=1,
        sources=["upload", "clipboard"],
        min_width=260,
        elem_id="near-picture",
    )


def ways() -> dict[str, Any]:
    """The other ways in."""
    cell = gr.Dropdown(
        queries.made(), value=None, label="Or a picture that was made here", elem_id="near-cell"
    )
    with gr.Row(elem_classes="mv-line"):
        words = field("words", "Or words of captions", "fox moon")
        take_words(words)
        find = gr.Button("Find images", scale=0, min_width=180, elem_id="near-find")
    with gr.Row(elem_classes="mv-line", visible=not access.public()):
        folder = field("folder", "Or a folder of pictures on this machine", "path/to/generations")
        go = gr.Button("Check a folder", scale=0, min_width=180, elem_id="near-check")
    return {"cell": cell, "words": words, "find": find, "folder": folder, "go": go, "cases": hard()}


def hard() -> dict[str, gr.Button]:
    """Training images changed as pictures are on their way: what the descriptor makes of them."""
    with gr.Column(elem_id="near-cases"):
        gr.HTML("<p>Or a training image by chance, as it may come back</p>")
        with gr.Row():
            return {
                name: gr.Button(case.title, size="sm", min_width=0, scale=0)
                for name, case in CASES.items()
            }


def field(name: str, label: str, example: str) -> gr.Textbox:
    """One line to type in."""
    return gr.Textbox(
        label=label, placeholder=example, scale=2, min_width=180, elem_id=f"near-{name}"
    )


def judges() -> list[gr.components.Component]:
    """Where to look, how pictures are compared, and from when one is a copy."""
    looks = descriptors()
    about = "scores of two are never mixed"
    return [
        menu(
            "near-corpus",
            [*corpus.known()],
            ComparisonRequest.corpus,
            "Training images",
            "name or folder",
        ),
        menu("near-preset", looks, ComparisonRequest.descriptor, "Descriptor", about),
        gr.Dropdown(
            MARKS,
            value="preset",
            label="Called a copy from",
            info="the threshold",
            min_width=200,
            elem_id="near-mark",
        ),
    ]


def background() -> dict[str, gr.components.Component]:
    """What was begun and outlives the page."""
    under_way = gr.HTML(elem_id="near-jobs")
    with gr.Row(elem_classes="mv-line"):
        buttons = {
            name: gr.Button(visible=False, scale=0, min_width=320, elem_id=f"near-{name}")
            for name in ("stop", "resume")
        }
    done = gr.Dropdown([], label="Open a checked folder", visible=False, elem_id="near-done")
    return {"under_way": under_way, "done": done, **buttons}


def connect(tab: Tab, page: gr.Tab) -> None:
    """Bind the ways in to the result."""
    shown = [tab.result, tab.message]
    asked = [
        event(answering(find), [*source, *tab.judges], shown, concurrency_id="gpu", **WAITING)
        for event, source, find in (
            (tab.picture.upload, [tab.picture], queries.uploaded),
            (tab.cell.input, [tab.cell], queries.of_run),
            (tab.words.submit, [tab.words], queries.by_words),
            (tab.find.click, [tab.words], queries.by_words),
            *((button.click, [], queries.of_case(name)) for name, button in tab.cases.items()),
            (tab.within.click, [], queries.duplicates),
        )
    ]
    case = example_cell()
    if case:
        find = partial(queries.of_run, case)
        asked.append(
            tab.result.submit(answering(find), tab.judges, shown, concurrency_id="gpu", **WAITING)
        )
    tab.done.input(answering(folder_check.opened), tab.done, shown, **QUIET)
    follow(tab, [page.select, *(event.then for event in asked)])
    page.select(lambda: gr.Dropdown(choices=queries.made()), None, tab.cell, queue=False, **QUIET)


def follow(tab: Tab, moments: list[Callable[..., object]]) -> None:
    """Bind the work in the background: looked at then, and every second while there is some."""
    clock, ids = gr.Timer(EVERY, active=False), gr.State(["", ""])
    told = {"outputs": tab.message, "queue": False, **QUIET}
    acted = (
        tab.go.click(folder_check.check, [tab.folder, *tab.judges], **told),
        tab.stop.click(neighbours_background.stop, ids, **told),
        tab.resume.click(neighbours_background.resume, ids, **told),
    )
    standing = [tab.under_way, tab.done, clock, tab.stop, tab.resume, ids]
    for event in (*moments, *(event.then for event in acted)):
        event(neighbours_background.standing, None, standing, queue=False, **QUIET)
    seen = [*standing, tab.result, tab.message]
    clock.tick(neighbours_background.watch, ids, seen, queue=False, **QUIET)
