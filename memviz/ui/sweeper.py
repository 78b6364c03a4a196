"""What the buttons of the Transition tab do: sweep, many seeds, a job, a re-run from the handle."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from memviz import jobs, past, runs, sweep
from memviz.ask import Ask
from memviz.methods import parse
from memviz.ui import compare, form, player
from memviz.ui import transition_view as views
from memviz.ui.live import Live, Ticket

if TYPE_CHECKING:
    from memviz.compare import Progress


def shown(
    view: dict | None = None,
    message: str | None = None,
    ticket: Ticket | None = None,
    done: bool = True,
) -> list[Any]:
    """Values for `Tab.outputs`; what is not given stays as it is."""
    first, said, token, go, stop = compare.shown(view, message, ticket, done)
    return [first, said, token, go, gr.Button(interactive=done), stop]


def asked(*values: object) -> tuple[dict[str, Any], str, str, str]:
    """The options of an `Ask`, then axis, values and method, from the controls."""
    prompt, axis, text, method, seeds, steps, model, keep = values
    more = {"steps": form.plain(steps), "model": model or "", "keep": bool(keep)}
    more |= {"prompt": prompt or "", "seeds": form.seeds(str(seeds or ""))}
    return more, str(axis), str(text), str(method)


def sweep_ask(*values: object) -> Ask:
    """The sweep that the controls ask for."""
    more, axis, text, method = asked(*values)
    return sweep.ask(
        more.pop("prompt"), sweep.numbers(text), more.pop("seeds"), axis, method, **more
    )


def seeds_ask(*values: object) -> Ask:
    """One method on all seeds, to see how the transition depends on them."""
    more, _, _, method = asked(*values)
    return Ask([more.pop("prompt")], [method], more.pop("seeds"), **more)


def look(progress: "Progress") -> dict[str, Any]:
    """The view of a run between two of its steps."""
    view = views.view(progress.run) | {"live": True, "step": progress.step}
    for cell, image in zip(view["cells"], progress.previews, strict=True):
        cell["preview"] = player.data_uri(image)
    return view


def work(ask: Ask) -> Callable[[], "Iterator[Progress]"]:
    """The comparison to make; torch is imported where it runs."""

    def run() -> "Iterator[Progress]":
        from memviz.compare import compare

        return compare(ask)

    return run


def starter(live: Live, make: Callable[..., Ask]) -> Callable[..., Iterator[list[Any]]]:
    """The handler of a button that makes a run."""

    def start(*values: object) -> Iterator[list[Any]]:
        try:
            todo = work(make(*values))
        except (ValueError, TypeError, KeyError) as error:
            yield shown(message=compare.notice(str(error)))
            return
        ticket = live.start(todo, look)
        yield shown(message=compare.notice(compare.PREPARING, False), ticket=ticket, done=False)
        for view in ticket.watch():
            where = f"Step {view['step']} of {view['steps']}."
            yield shown(view, compare.notice(where, False), ticket, done=False)
        yield finished(ticket)

    return start


def finished(ticket: Ticket, **more: object) -> list[Any]:
    """The run as its folder has it, and what went wrong if something did."""
    view = views.view(runs.read(ticket.run_id)) | more if ticket.run_id else None
    return shown(view, compare.notice(compare.sentence(ticket.error) if ticket.error else ""))


def background(*values: object) -> str:
    """Begin the sweep as a job, which outlives the tab; what to tell about it."""
    try:
        ask, (_, axis, text, method) = sweep_ask(*values), asked(*values)
    except (ValueError, TypeError, KeyError) as error:
        return compare.notice(str(error))
    words = ["--prompt", ask.prompts[0], f"--{axis}={text}", "--method", method]
    words += ["--seeds", ",".join(map(str, ask.seeds)), "--steps", ask.steps]
    words += ["--model", ask.model, *(["--keep"] if ask.keep else [])]
    job = jobs.start("sweep", jobs.verb("sweep", *words), title=ask.prompts[0])
    return compare.notice(
        f"Job {job.id} makes the sweep, also while this page is closed. Its run is among the saved "
        "runs below as soon as it has begun; choose it again to see how far it has come.", False
    )  # fmt: skip


def rerunner(live: Live) -> Callable[[gr.EventData], Iterator[list[Any]]]:
    """The handler of "Re-run from here": the chosen cell with its transition moved."""

    def rerun(event: gr.EventData) -> Iterator[list[Any]]:
        try:
            run, number, ask = moved(event._data)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            yield shown(message=compare.notice(str(error)))
            return
        ticket = live.start(work(ask), lambda progress: {"id": progress.run.info["id"]})
        yield shown(message=compare.notice("Going on from there …", False), ticket=ticket,
                    done=False)  # fmt: skip
        for _ in ticket.watch():
            pass
        if ticket.error or not ticket.run_id:
            yield shown(
                message=compare.notice(compare.sentence(ticket.error or ValueError("Stopped.")))
            )
            return
        yield shown(views.view(run) | {"again": again(run, number, ticket.run_id, ask)},
                    compare.notice())  # fmt: skip

    return rerun


def moved(data: dict[str, Any]) -> tuple[runs.Run, int, Ask]:
    """The run, the cell and what to make of it; ValueError if that cannot be."""
    run, number = runs.read(str(data["run"])), int(data["cell"])
    cell, was = run.info["cells"][number], run.info["asked"]
    method = views.what_if(cell["spec"], float(data["at"]))
    kept = past.place(run.folder, number).is_file()
    same = {n: was[n] for n in ("steps", "scheduler", "model", "corpus", "descriptor")}
    since = f"{run.info['id']}:{number}" if kept else ""
    return run, number, Ask([cell["prompt"]], [method], [cell["seed"]], since=since, **same)


def again(run: runs.Run, number: int, run_id: str, ask: Ask) -> dict[str, Any]:
    """The re-run beside the cell that it went on from."""
    new = runs.read(run_id)
    made = new.info["cells"][0]
    taken = past.common(run, number, parse(ask.methods[0])[1]) if ask.since else 0
    return {
        "id": run_id,
        "cell": number,
        "base": f"{player.file_path(new.folder)}/",
        "taken": taken,
        "kept": bool(ask.since),
        **{n: made.get(n) for n in ("image", "similarity", "alignment", "verdict",
           "spec", "transition_step")},
        "evaluations": new.info["unet_evaluations"],
        "name": views.named([made, run.info["cells"][number]])[made["spec"]],
    }  # fmt: skip
