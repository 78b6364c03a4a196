"""What the buttons of the Transition tab do: sweep, many seeds, a job, a re-run from the handle."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from memviz.comparison import sweep
from memviz.comparison.request import ComparisonRequest
from memviz.errors import InputError, MemvizError
from memviz.guidance.spec import make_specs
from memviz.runs import resume, store
from memviz.ui.compare import tab
from memviz.ui.shared import controls, encode, messages, served, start_run
from memviz.ui.shared.live import Live, Ticket
from memviz.ui.transition import background as transition_background
from memviz.ui.transition import view as views

if TYPE_CHECKING:
    from memviz.comparison.recorder import StepView


def shown(
    view: dict | None = None,
    message: str | None = None,
    ticket: Ticket | None = None,
    done: bool = True,
) -> list[Any]:
    """Values for `Tab.outputs`; what is not given stays as it is."""
    first, said, token, _, stop = tab.shown(view, message, ticket, done)
    ready = gr.Button(interactive=done)
    return [first, said, token, ready, ready, stop]


FEW = "0, 1"  # seeds of a sweep, unless others are typed
MANY = 16  # seeds that show how the transition depends on them
SAME = {"steps", "scheduler", "spacing", "size", "dtype"} | {  # of a re-run
    *("model", "corpus", "descriptor", "clip", "decoder", "look_every"),
}
NAMES = ("prompt", "method", "axis", "values", "across", "others", "seeds", "steps", "model",
         "keep", "probe", "signals")  # fmt: skip


def asked(values: Sequence[object]) -> dict[str, Any]:
    """The options that a sweep and many seeds share, and the method as `method`."""
    given: dict[str, Any] = dict(zip(NAMES, values, strict=True))
    return {
        "prompt": given["prompt"] or "",
        "seeds": controls.seeds(str(given["seeds"] or "")),
        "method": str(given["method"]),
        "steps": controls.plain(given["steps"]),
        "model": given["model"] or "",
        "keep": bool(given["keep"]),
        "probe": bool(given["probe"]),
        "signals": tuple(given["signals"] or ()),
    }


def varied(values: Sequence[object]) -> dict[str, str]:
    """The parameters that vary, with their values as typed."""
    given = dict(zip(NAMES, values, strict=True))
    if given["axis"] == given["across"]:
        raise InputError("Columns and rows vary the same parameter. Choose another for the rows.")
    found = {str(given["axis"]): str(given["values"])}
    return found | ({str(given["across"]): str(given["others"])} if given["across"] else {})


def sweep_ask(*values: object) -> ComparisonRequest:
    """The sweep that the controls ask for."""
    found = {axis: sweep.parse_values(text) for axis, text in varied(values).items()}
    more = asked(values)
    return sweep.request_sweep(more.pop("prompt"), found, **more)


def seeds_ask(*values: object) -> ComparisonRequest:
    """One method on many seeds, or those typed, to see how the transition depends on them."""
    more = asked(values)
    if more["seeds"] == controls.seeds(FEW):  # as the box had them: those of a sweep
        more["seeds"] = [*range(MANY)]
    methods = ["cfg"] * more["probe"] + [more.pop("method")]
    return ComparisonRequest([more.pop("prompt")], make_specs([*dict.fromkeys(methods)]), **more)


def words(*values: object) -> list[str]:
    """The same sweep as options of the verb; ValueError if it cannot be made."""
    ask, method = sweep_ask(*values), asked(values)["method"]
    flags = [f"--vary={axis}={text}" for axis, text in varied(values).items()]
    flags += [f"--prompt={ask.prompts[0]}", "--method", method, f"--model={ask.model}"]
    flags += ["--seeds", ",".join(map(str, ask.seeds)), "--steps", str(ask.steps)]
    flags += [f"--{name}" for name in ("keep", "probe") if getattr(ask, name)]
    return [*flags, f"--signals={','.join(ask.signals)}"]


def look(progress: "StepView") -> dict[str, Any]:
    """The view of a run between two of its steps."""
    run = progress.snapshot()
    left = messages.time_left(run.record.seconds, progress.step, progress.steps)
    view = views.view(run) | {"live": True, "step": progress.step, "left": left}
    for cell, image in zip(view["cells"], progress.previews, strict=True):
        cell["preview"] = encode.data_uri(image)
    return view


def starter(
    live: Live, make: Callable[..., ComparisonRequest]
) -> Callable[..., Iterator[list[Any]]]:
    """The handler of a button that makes a run."""

    def start(*values: object) -> Iterator[list[Any]]:
        try:
            ticket = live.start(start_run.work(vars(make(*values))), look)
        except MemvizError as error:
            yield shown(message=messages.notice(str(error)))
            return
        said = live.line(ticket) or tab.PREPARING
        yield shown({"waiting": said}, messages.notice(said, False), ticket, done=False)
        for view in ticket.watch():
            where = view.get("waiting") or f"Step {view['step']} of {view['steps']}.{view['left']}"
            yield shown(view, messages.notice(where, False), ticket, done=False)
        yield finished(ticket)

    return start


def finished(ticket: Ticket, **more: object) -> list[Any]:
    """The run as its folder has it, and what went wrong if something did."""
    messages.note(ticket.error)
    view = views.view(store.read(ticket.run_id)) | more if ticket.run_id else {}
    return shown(view, messages.outcome(ticket.error))


def background(*values: object) -> list[Any]:
    """Begin the sweep as a job, which outlives the tab: its id, then as `sweep_job.look`."""
    try:
        job = transition_background.begin(words(*values), str(values[0]))
    except (MemvizError, OSError) as error:
        return [gr.skip(), gr.skip(), messages.notice(str(error)), *[gr.skip()] * 4]
    return [job.id, *transition_background.look(job.id)]


def rerunner(live: Live) -> Callable[[gr.EventData], Iterator[list[Any]]]:
    """The handler of "Re-run from here": the chosen cell with its transition moved."""

    def rerun(event: gr.EventData) -> Iterator[list[Any]]:
        try:
            run, number, ask = moved(event._data)
            ticket = live.start(
                start_run.work(vars(ask)), lambda progress: {"id": progress.snapshot().record.id}
            )
        except MemvizError as error:
            yield shown(message=messages.notice(str(error)))
            return
        yield shown(message=messages.notice("Going on from there …", False), ticket=ticket,
                    done=False)  # fmt: skip
        for view in ticket.watch():
            if said := view.get("waiting"):
                yield shown(message=messages.notice(said, False), ticket=ticket, done=False)
        if ticket.error or not ticket.run_id:
            yield shown(
                message=messages.notice(messages.sentence(ticket.error or ValueError("Stopped.")))
            )
            return
        yield shown(views.view(run) | {"again": again(run, number, ticket.run_id, ask)},
                    messages.notice())  # fmt: skip

    return rerun


def moved(data: dict[str, Any]) -> tuple[store.Run, int, ComparisonRequest]:
    """The run, the cell and what to make of it; ValueError if that cannot be."""
    try:
        run, number, at = store.read(str(data["run"])), int(data["cell"]), float(data["at"])
        cell, was = run.record.cells[number], run.record.request
    except MemvizError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, OverflowError):
        raise InputError("This picture is not in its run any more. Load the page again.") from None
    method = views.what_if(cell.spec, at)
    same = was.model_dump(include=SAME)
    since = f"{run.record.id}:{number}" if resume.kept_file(run.folder, number).is_file() else ""
    request = ComparisonRequest(
        [cell.prompt], make_specs([method]), [cell.seed], since=since, **same
    )
    return run, number, request


def again(run: store.Run, number: int, run_id: str, ask: ComparisonRequest) -> dict[str, Any]:
    """The re-run beside the cell that it went on from."""
    new = store.read(run_id)
    made = new.record.cells[0]
    taken = resume.shared_steps(run, number, ask.methods[0].guidance) if ask.since else 0
    return {
        "id": run_id,
        "cell": number,
        "base": f"{served.file_path(new.folder)}/",
        "taken": taken,
        "kept": bool(ask.since),
        **made.model_dump(
            include={"image", "similarity", "alignment", "verdict", "kind", "spec"}
            | {"transition_step"}
        ),
        "evaluations": new.record.unet_evaluations,
        "name": views.named([made, run.record.cells[number]])[made.spec],
    }
