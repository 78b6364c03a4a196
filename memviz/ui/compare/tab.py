"""The Compare tab: ask, watch it happen, look at what came out."""

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from memviz.comparison.request import ComparisonRequest
from memviz.comparison.sweep import grid
from memviz.errors import MemvizError
from memviz.runs import store
from memviz.ui.compare import form as compare_form
from memviz.ui.compare import view as compare_view
from memviz.ui.compare.live_view import LiveView
from memviz.ui.compare.story import make_story
from memviz.ui.compare.two_models import merged
from memviz.ui.shared import access
from memviz.ui.shared.component import module_call
from memviz.ui.shared.controls import QUIET
from memviz.ui.shared.examples import examples, group_titles
from memviz.ui.shared.gate import take_words
from memviz.ui.shared.live import Live, Ticket, View
from memviz.ui.shared.messages import note, notice, outcome, tab_title
from memviz.ui.shared.start_run import work

EMPTY = {"note": "There is no run to show yet. Press Compare to make one."}
PREPARING = "Preparing the model …"
RUNNING = "under way"
SHOWN = 4  # ready prompts per group
TITLE = (
    "Which guidance copies, and which does not?",
    "A prompt, or several, one a line, and the same starting noise under several methods, each "
    "picture beside the training image it is most like.",
)
FOLDED = "Methods, ready prompts and settings"
TELL_PROMPT = module_call("compare/player.js", "tellPrompt")


@dataclass(frozen=True)
class Tab:
    """The parts of the Compare tab that handlers read and write."""

    form: compare_form.Form
    player: gr.HTML
    message: gr.HTML
    token: gr.State
    go: gr.Button
    stop: gr.Button

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What a run changes, in the order of `shown`."""
        return [self.player, self.message, self.token, self.go, self.stop]


def shown(
    view: View | None = None,
    message: str | None = None,
    ticket: Ticket | None = None,
    done: bool = True,
) -> list[Any]:
    """Values for `Tab.outputs`; what is not given stays as it is."""
    return [
        gr.skip() if view is None else view,
        gr.skip() if message is None else message,
        ticket.token if ticket else None,
        gr.skip(),  # Compare can be pressed at any time: what is asked for waits in line
        gr.Button(interactive=not done),
    ]


def saved(run: store.Run) -> dict[str, Any]:
    """The view of a run as its folder has it."""
    view = compare_view.view(run)
    if run.folder.parent in store.bundled_roots():
        curves = {cell["cell"]: cell["trace"] for cell in view["cells"]}
        view["story"] = make_story(run.record, curves)
    return view


def beside(run: store.Run, other: str | None) -> tuple[dict[str, Any], str]:
    """The view of a run with an older one of the same prompts, and why it stands alone if so."""
    view = compare_view.view(run)
    try:
        return (merged(compare_view.view(store.read(other)), view) if other else saved(run)), ""
    except MemvizError as error:
        return view, str(error)


def follow(live: Live, ticket: Ticket, session: str) -> Iterator[list[Any]]:
    """Views of a run while it is made, then the finished folder; errors become a sentence.

    Ends without a word once the page of this session follows another.
    """
    live.followed[session] = ticket.token
    sent = 0
    for tick in ticket.watch():
        if live.followed.get(session) != ticket.token:
            break
        view = tell(live, ticket, tick, sent)
        sent = view.get("step", 0)
        said = notice(view["waiting"], False) if "waiting" in view else notice()
        yield shown(view, said, ticket, done=False)
    if live.followed.get(session) != ticket.token:
        yield [gr.skip()] * len(shown())
        return
    yield finish(live, ticket)


def tell(live: Live, ticket: Ticket, tick: View | None, sent: int = 0) -> View:
    """A comparison as it stands, to a page that knows `sent` steps of it."""
    source: LiveView | None = tick.get("source") if tick else None
    if source:
        view = source.since(sent) if sent else source.whole()
    else:
        view = tick or {"waiting": ticket.place or PREPARING}
    return view | {"token": ticket.token, "line": list_others(live, ticket.token)}


def finish(live: Live, ticket: Ticket) -> list[Any]:
    """The run that a comparison left, and what went wrong if something did."""
    note(ticket.error)
    view: View = saved(store.read(ticket.run_id)) if ticket.run_id else {"waiting": ""}
    view |= {"line": list_others(live, ticket.token)}
    return shown(view, outcome(ticket.error))


def list_others(live: Live, token: str) -> list[dict[str, Any]]:
    """What else the same person has in line."""
    return [
        {"token": one.token, "title": one.title, "words": one.place or RUNNING, "run": one.run_id}
        for one in live.others(token)
    ]


def load() -> None:
    """Import torch and load the demo, so that the first comparison starts at once."""
    from memviz import resources

    resources.load_model(ComparisonRequest.model)
    resources.load_detector(ComparisonRequest.corpus, ComparisonRequest.descriptor)
    resources.load_clip()


def comparer(live: Live, fields: compare_form.Form) -> Callable[..., Iterator[list[Any]]]:
    """The handler of the Compare button."""

    def compare(*values: object) -> Iterator[list[Any]]:
        try:
            asked = compare_form.read(fields, values)
            ticket = live.start(work(asked), LiveView().add, asked["prompts"][0])
        except MemvizError as error:
            yield [gr.skip(), notice(str(error)), *[gr.skip()] * 3]
            return
        view = tell(live, ticket, None)
        yield shown(view, notice(view["waiting"], False), ticket, done=False)
        yield from follow(live, ticket, access.current_session())

    return compare


def catcher(live: Live) -> Callable[[gr.EventData], list[Any]]:
    """The handler of a page that missed something: it slept, or a message came too late."""

    def catch_up(event: gr.EventData) -> list[Any]:
        token = read_token(event)
        if ticket := live.tickets.get(token):
            view = tell(live, ticket, ticket.latest)
            return shown(view, ticket=ticket, done=False)
        if ticket := live.ended.get(token):
            return finish(live, ticket)
        return [{"line": list_others(live, token)}, *[gr.skip()] * 4]

    return catch_up


def switcher(live: Live) -> Callable[[gr.EventData], Iterator[list[Any]]]:
    """The handler of the line: show another comparison of it, or stop one."""

    def switch(event: gr.EventData) -> Iterator[list[Any]]:
        token = read_token(event)
        if event._data.get("stop"):
            if token in [ticket.token for ticket in live.others("")]:
                live.stop(token)
            followed = live.followed.get(access.current_session(), "")
            yield [{"line": list_others(live, followed)}, *[gr.skip()] * 4]
        elif ticket := live.tickets.get(token):
            yield shown(tell(live, ticket, ticket.latest), notice(), ticket, done=False)
            yield from follow(live, ticket, access.current_session())
        elif ticket := live.ended.get(token):
            yield finish(live, ticket)

    return switch


def read_token(event: gr.EventData) -> str:
    """The comparison that an event of the page names."""
    told = event._data
    return str(told.get("token") or "") if isinstance(told, dict) else ""


def opener(live: Live, fields: compare_form.Form) -> Callable[..., Iterator[list[Any]]]:
    """The handler of a page load: the run in the address, or the bundled example."""

    def open_page(request: gr.Request) -> Iterator[list[Any]]:
        wanted = request.query_params.get("run")
        run, message = find(wanted)
        unchanged = [gr.skip() for _ in fields.fields]
        asked = (
            compare_form.values(fields, run.record.request)
            if run and wanted and not message
            else unchanged
        )
        ticket = live.find(run.record.id) if run else None
        view = None
        if run and wanted:
            view, alone = beside(run, request.query_params.get("with"))
            message = message or alone
        if view and run and run.record.id != wanted:  # else the page takes it for what it has
            view["instead"] = wanted
        yield [*shown(view, notice(message), ticket, done=ticket is None), *asked]
        session = access.current_session()
        for update in follow(live, ticket, session) if ticket else ():
            yield [*update, *unchanged]
        live.prepare(load)

    return open_page


def find(run_id: str | None) -> tuple[store.Run | None, str]:
    """The run asked for, or an example and a sentence on why it is not the one asked for."""
    try:
        return (store.read(run_id), "") if run_id else (example(), "")
    except MemvizError:
        why = "There is no run at this address: it was removed, or made on another machine."
        instead = example()
        return instead, f"{why} Here is an example instead." if instead else why


def example() -> store.Run | None:
    """The first bundled run."""
    return next((run for run in store.bundled() if not is_sweep(run)), None)


def first_view() -> dict[str, Any]:
    """What the page itself brings along, so that a visitor waits for no answer."""
    run = example()
    return saved(run) if run else EMPTY


def build(live: Live) -> Tab:
    """Lay out the tab and connect it."""
    ready = examples()
    gr.HTML(tab_title(*TITLE))
    with gr.Row(equal_height=False, elem_id="ask"):
        prompt = gr.Textbox(
            value=next((p for group in ready.values() for p in group), ""),
            label="Prompt",
            lines=1,
            max_lines=6,
            scale=5,
            min_width=280,
            elem_id="prompt",
            placeholder="What the picture should show; Shift and Enter for one more prompt",
        )
        with gr.Column(scale=1, min_width=150, elem_id="buttons"):
            go = gr.Button("Compare", variant="primary", elem_id="go")
            stop = gr.Button("Stop", interactive=False, elem_id="stop")
    finished = build_finished()
    with gr.Accordion(FOLDED, open=False, elem_id="settings"):
        build_examples(ready, prompt)
        fields = compare_form.Form(
            prompt=prompt, **compare_form.build_methods(), **compare_form.build_details()
        )
    take_words(prompt, fields.seeds)
    message = gr.HTML(elem_id="message")
    player = compare_view.Player(first_view(), elem_id="player")
    tab = Tab(fields, player, message, gr.State(), go, stop)
    connect(tab, live)
    for run_id, button in finished.items():
        show = partial(open_finished, fields, run_id)
        button.click(show, None, [*tab.outputs, *fields.fields], queue=False, **QUIET)
    return tab


def build_finished() -> dict[str, gr.Button]:
    """A button for each bundled comparison, by the id of its run."""
    runs = [run for run in store.bundled() if not is_sweep(run)]
    with gr.Row(elem_id="finished", elem_classes="mv-ready"):
        gr.HTML("Finished examples:")
        return {
            run.record.id: gr.Button(run.record.title, size="sm", min_width=0, scale=0)
            for run in runs
        }


def is_sweep(run: store.Run) -> bool:
    """Whether the Transition tab is where a run belongs."""
    return grid(run.record.cells) is not None


def open_finished(fields: compare_form.Form, run_id: str) -> list[Any]:
    """A bundled run, and the form as it was asked."""
    run = store.read(run_id)
    return [*shown(saved(run), notice()), *compare_form.values(fields, run.record.request)]


def build_examples(ready: dict[str, list[str]], prompt: gr.Textbox) -> None:
    """The ready prompts, a group beside the other; a click fills the prompt box in the browser."""
    with gr.Row(elem_id="examples"):
        titles = group_titles()
        for group, prompts in ready.items():
            if prompts:
                build_group(titles[group], prompts[:SHOWN], prompt)


def build_group(title: str, prompts: list[str], prompt: gr.Textbox) -> None:
    """One group of ready prompts: a heading and a button each."""
    with gr.Column(min_width=280):
        gr.HTML(f"<h3>{html.escape(title)}</h3>")
        with gr.Row(elem_classes="mv-ready"):
            for text in prompts:
                button = gr.Button(text, size="sm", min_width=0)
                button.click(None, None, prompt, js=f"() => {json.dumps(text)}", **QUIET)


def connect(tab: Tab, live: Live) -> None:
    """Bind the buttons."""
    start = comparer(live, tab.form)
    inputs = tab.form.fields
    tab.form.connect()
    tab.form.prompt.change(None, None, None, js=TELL_PROMPT, **QUIET)
    for event in (tab.go.click, tab.form.prompt.submit):
        event(start, inputs, tab.outputs, concurrency_limit=None, trigger_mode="multiple", **QUIET)
    tab.player.select(catcher(live), None, tab.outputs, queue=False, **QUIET)
    tab.player.submit(switcher(live), None, tab.outputs, concurrency_limit=None, **QUIET)
    tab.stop.click(
        lambda token: gr.Button(interactive=not live.stop(token)),
        tab.token,
        tab.stop,
        queue=False,
        **QUIET,
    )
