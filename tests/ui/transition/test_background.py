"""A sweep in the background: killed, stopped and resumed, it ends as if nothing had happened."""

from contextlib import closing

import gradio as gr
import pytest

from memviz import jobs
from memviz.comparison import sweep
from memviz.comparison.compare import compare
from memviz.runs import resume as runs_resume
from memviz.runs import store
from memviz.ui.transition import background
from tests.support import world
from tests.support.processes import kill, pid, until

pytestmark = pytest.mark.usefixtures("jobs_home")

STEPS = 60
PATIENCE = 600  # seconds: torch may take a minute to import on a busy machine
VALUES = {"at": [200, 500, 800], "early": [0, -1]}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


def words(small):
    """The sweep as a command."""
    where = {"model": small.model, "corpus": small.corpus, "descriptor": small.descriptor}
    places = [f"--{name}={path}" for name, path in where.items()]
    more = ["--at=200,500,800", "--early=0,-1", "--seeds=0,1", f"--steps={STEPS}"]
    return jobs.verb("sweep", "--prompt", world.PROMPT, *places, *more, "--signals=sharpness")


def begun(small):
    """A job that has made some steps."""
    job = jobs.start("sweep", words(small))
    until(lambda: (job.state().step or 0) >= 3 or job.state().over, PATIENCE)
    assert not job.state().over, job.log_tail()
    return job


def over(job):
    until(lambda: job.state().over, PATIENCE)
    return job.state()


def unbroken(small):
    ask = small.ask(steps=STEPS)
    more = {n: getattr(ask, n) for n in ("steps", "model", "corpus", "descriptor")}
    asked = sweep.request_sweep(world.PROMPT, VALUES, (0, 1), signals=("sharpness",), **more)
    with closing(compare(asked)) as made:
        *_, last = made
    return store.open_folder(last.snapshot().folder)


def same(one, other):
    """Pictures, traces and costs."""
    for cell in one.record.cells:
        pictures = [run.folder / cell.image for run in (one, other)]
        from PIL import Image

        assert len({Image.open(p).tobytes() for p in pictures}) == 1
    assert one.table().equals(other.table()) or differing(one, other) == []
    assert one.record.unet_evaluations == other.record.unet_evaluations
    kept = {"spec", "seed", "similarity", "verdict", "evaluations", "transition_step"}
    for a, b in zip(one.record.cells, other.record.cells, strict=True):
        assert a.model_dump(include=kept) == b.model_dump(include=kept)


def differing(one, other):
    """Columns whose values are not the same; NaN is like NaN."""
    import numpy as np

    tables = one.table(), other.table()
    pairs = ((n, *(t[n].to_numpy(zero_copy_only=False) for t in tables))
             for n in tables[0].column_names if n != "attention")  # fmt: skip
    return [n for n, a, b in pairs if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")]


def test_a_killed_sweep_is_resumed_and_equals_an_unbroken_one(small):
    job = begun(small)
    kill(pid(job, "process"))
    kill(pid(job))
    lost = job.state()
    assert lost.name == "lost" and lost.step >= 3
    folder = store.root() / job.id
    kept = len([*(folder / "unfinished").glob("*.safetensors")])
    assert lost.step <= kept < STEPS and store.read(job.id).record.state == "broken off"
    view, said, *_ = background.look(job.id)
    assert all(c["preview"].startswith("data:image/webp") for c in view["cells"])
    assert 0 < len(view["cells"][0]["trace"]["magnitude"]) <= kept and "alert" in said
    assert background.resume(job.id)[2].interactive  # it runs again
    assert over(job).name == "done", job.log_tail()
    assert job.result()["run"] == job.id and not (folder / "unfinished").exists()
    same(store.read(job.id), unbroken(small))


def test_a_stopped_sweep_keeps_what_it_has_and_can_go_on(small):
    job = begun(small)
    job.stop()
    assert over(job).name == "stopped" and job.state().resumable
    run = store.read(job.id)
    assert run.record.state == "stopped" and 3 <= run.table().num_rows / 12 < STEPS
    assert all((run.folder / cell.image).is_file() for cell in run.record.cells)
    view, said, stop, resume, seen, timer = background.look(job.id)
    assert view["state"] == "stopped" and not view["live"] and "Resume from step" in said
    assert resume.visible and not stop.interactive and not timer.active
    assert {type(part) for part in background.look(job.id, seen)} == {dict}  # nothing moves
    assert background.of_run(job.id) == job.id and not background.under_way()


def test_no_sweep_is_watched_where_none_was_begun():
    view, _, _, resume, seen, timer = background.look("")
    assert view == gr.skip() and not resume.visible and seen == "" and not timer.active
    assert background.of_run("20250101-120000-0123456789abcdef") == ""


def test_remedies_and_what_only_the_last_step_tells_go_on_too(small):
    """Of a start, a step's condition and a prediction that a method changed, as of the mask."""
    methods = ["stp", "wen:target=0,iterations=2", "cads", "amg:early=0,late=0"]
    ask = small.ask(methods=methods, seeds=[0, 1], steps=6, signals=["masked_magnitude"])
    folder = store.root() / "20250101-120000-0123456789abcdef"
    with closing(compare(ask, folder, resumable=True)) as made:
        for _ in range(4):
            next(made)
    record = store.open_folder(folder).record
    known = runs_resume.load_unfinished(folder, record)
    assert record.state == "stopped" and len(known.differences) == len(known.predictions) == 4
    with closing(compare(ask, folder, resumable=True)) as made:
        assert next(made).snapshot().record.unet_evaluations == known.evaluations
        *_, last = made
    with closing(compare(ask)) as made:
        *_, fresh = made
    same(store.open_folder(last.snapshot().folder), store.open_folder(fresh.snapshot().folder))


def test_a_run_that_goes_on_from_another_has_late_signals_of_its_own_steps_only(small):
    with closing(compare(small.ask(methods=["stp:at=700"], keep=True))) as made:
        *_, kept = made
    more = {"since": f"{kept.snapshot().record.id}:0", "signals": ["masked_magnitude"]}
    with closing(compare(small.ask(methods=["stp:at=100"], **more))) as made:
        *_, last = made
    rows = store.open_folder(last.snapshot().folder).table()["masked_magnitude"].to_pylist()
    assert rows[0] is None and rows[-1] > 0


def test_steps_of_another_sweep_are_not_gone_on_from(small):
    folder = store.root() / "20250101-120000-0123456789abcdef"
    with closing(compare(small.ask(steps=5), folder, resumable=True)) as made:
        next(made), next(made)
    assert len([*(folder / "unfinished").iterdir()]) == 2
    record = store.open_folder(folder).record
    assert len(runs_resume.load_unfinished(folder, record).predictions) == 2
    other = record.model_copy(update={"timesteps": (1,)})
    assert runs_resume.load_unfinished(folder, other) is None
    assert not (folder / "unfinished").exists()
