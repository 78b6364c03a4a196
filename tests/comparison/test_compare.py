"""The one use case, whole: what the folder of a run holds however the comparison ends."""

import json
import math
import subprocess
import sys
from collections import deque
from contextlib import closing
from pathlib import Path

import pytest
import torch
from PIL import Image

from memviz.comparison.compare import compare
from memviz.errors import MemvizError
from memviz.io.ids import ID
from memviz.models import decode as models_decode
from memviz.models import loading
from memviz.models.schedulers import SCHEDULERS
from memviz.retrieval.index.index import Index
from memviz.retrieval.verdict import CopyThresholds
from memviz.runs import store, trace
from memviz.runs.sheet import COLUMNS
from tests.support import world

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


def finish(ask, folder=None):
    """The last progress and the run as the folder tells it."""
    *_, last = compare(ask, folder)
    return last, store.open_folder(last.snapshot().folder)


@pytest.fixture(scope="module")
def done(small, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "run"
    return finish(small.ask(seeds=[0, 5]), folder)[1]


def test_a_finished_run_says_what_was_asked_and_what_came_out(done, small):
    record = done.record
    assert record.state == "done" and record.error is None
    assert ID.fullmatch(record.id)
    assert record.request.methods[1].startswith("stp:early=0,late=7.5,at=500")
    assert record.request.steps == 4 and record.request.seeds == (0, 5)
    assert record.corpus.images == 7 and len(record.corpus.hash) == 64
    assert record.descriptor.dims == 16 and record.descriptor.hash
    assert record.thresholds == CopyThresholds(0.8, 0.6, "a test")
    assert record.model.hash == loading.load(str(small.model)).hash
    assert record.seconds > 0 and record.versions["torch"] == torch.__version__


def test_every_cell_is_complete(done):
    cells = done.record.cells
    assert [(c.method, c.seed) for c in cells] == [
        ("cfg", 0),
        ("stp", 0),
        ("cfg", 5),
        ("stp", 5),
    ]
    for cell in cells:
        assert cell.state == "done"
        assert cell.match == cell.matches[0] and len(cell.matches) == 7
        assert cell.similarity == cell.match.similarity
        assert cell.match.caption.startswith("picture ")


def test_every_file_that_is_named_is_there(done):
    for cell in done.record.cells:
        assert Image.open(done.folder / cell.image).size == (32, 32)
        sheet = Image.open(done.folder / cell.sheet)
        assert sheet.size == (COLUMNS * done.record.tile, done.record.tile)
        for match in cell.matches:
            assert Image.open(done.folder / match.image).size == (32, 32)
    assert not list(done.folder.rglob("*.part"))


def test_the_trace_has_a_row_for_each_cell_and_step(done):
    table = done.table()
    assert table.schema.names == trace.SCHEMA.names and table.num_rows == 4 * 4
    rows = [r for r in table.to_pylist() if r["cell"] == 1]
    assert [r["t"] for r in rows] == [*done.record.timesteps]
    assert [r["scale"] for r in rows] == [0.0 if r["t"] > 500 else 7.5 for r in rows]
    for r in rows:
        assert 0 <= r["nearest"] < 7 and -1.001 <= r["similarity"] <= 1.001
        assert r["similarity_final"] <= r["similarity"] + 1e-4
    past = [r["magnitude"] for r in rows]
    assert rows[-1]["magnitude_mean"] == pytest.approx(math.fsum(past) / 4, rel=1e-5)


def test_the_transition_is_that_of_the_trace(done):
    cfg, stp, *_ = done.record.cells
    assert cfg.transition_step is None and cfg.transition_kind == "none"
    assert stp.transition_kind == "static"
    assert done.record.timesteps[stp.transition_step] == stp.transition_timestep <= 500


def test_a_picture_carries_its_parameters(done):
    cell = done.record.cells[1]
    text = Image.open(done.folder / cell.image).text
    assert world.PROMPT in text["parameters"] and cell.spec in text["parameters"]
    told = json.loads(text["memviz"])
    assert told["run"] == done.record.id and told["seed"] == 0 and told["spec"] == cell.spec


def test_the_noise_is_named_seed_by_seed(done):
    draw = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(5))
    from memviz.sampling.noise import noise_hash

    assert done.record.noise_hash["5"] == noise_hash(draw) != done.record.noise_hash["0"]


def test_the_same_asked_again_gives_the_same_pictures(done, small, tmp_path):
    again = finish(small.ask(seeds=[0, 5]), tmp_path / "again")[1]
    for one, other in zip(done.record.cells, again.record.cells, strict=True):
        pictures = [Image.open(r.folder / c.image) for r, c in ((done, one), (again, other))]
        assert pictures[0].tobytes() == pictures[1].tobytes()
        assert one.similarity == other.similarity
    assert done.record.id != again.record.id


def test_evaluations_are_shared_until_methods_part(small, tmp_path):
    methods = ["stp:at=500", "stp:at=0", "og:early=0,at=500"]
    run = finish(small.ask(methods=methods), tmp_path / "run")[1]
    times = run.record.timesteps
    alone = 2 * len(times)
    parted = sum(t <= 500 for t in times) - 1  # the step at which they part is still shared
    assert run.record.unet_evaluations == alone + 2 * parted < 3 * alone


def test_progress_shows_every_step(small, tmp_path):
    seen = list(compare(small.ask(), tmp_path / "run"))
    assert [p.step for p in seen] == [1, 2, 3, 4, 4] and {p.steps for p in seen} == {4}
    assert [len(p.previews) for p in seen] == [2] * 5
    assert all(image.size == (32, 32) for p in seen for image in p.previews)
    assert seen[-1].snapshot().record.state == "done"


def test_a_view_stays_as_it_was_when_later_steps_come(small, tmp_path):
    seen, live = [], []
    for view in compare(small.ask(), tmp_path / "run"):
        seen.append(view)
        live.append(view.snapshot())
    later = [view.snapshot() for view in seen]
    assert [run.table().num_rows for run in later] == [2, 4, 6, 8, 8]
    assert [run.record.state for run in later] == ["running"] * 4 + ["done"]
    counts = [run.record.unet_evaluations for run in later]
    assert counts == sorted(counts) and len({*counts[:4]}) == 4
    pictures = [view.previews[0].tobytes() for view in seen]
    assert len({*pictures}) == 4 and pictures[-2] == pictures[-1]
    for then, now in zip(live, later, strict=True):
        assert then.record == now.record
        assert str(then.table().to_pydict()) == str(now.table().to_pydict())  # nan is not nan
    only = [view.snapshot() for view in list(compare(small.ask(), tmp_path / "other"))]
    assert [run.table().num_rows for run in only] == [2, 4, 6, 8, 8]


def test_a_step_is_looked_up_and_laid_out_once(small, tmp_path, monkeypatch):
    found, real = [], Index.search

    def search(self, vectors, k):
        found.append(len(vectors))
        return real(self, vectors, k)

    monkeypatch.setattr(Index, "search", search)
    for view in compare(small.ask(methods=["cfg"], steps=8), tmp_path / "run"):
        view.snapshot(), view.snapshot()
    assert found == [1] * 9  # each step, and the finished picture


def test_a_run_in_progress_can_be_watched(small, tmp_path):
    with closing(compare(small.ask(), tmp_path / "run")) as progress:
        step = next(progress)
        assert step.snapshot().record.state == "running" and step.snapshot().table().num_rows == 2
        assert store.open_folder(tmp_path / "run").record.state == "running"


def test_stopping_keeps_what_there_is(small, tmp_path):
    with closing(compare(small.ask(), tmp_path / "run")) as progress:
        next(progress), next(progress)
    run = store.open_folder(tmp_path / "run")
    assert run.record.state == "stopped" and run.record.error is None
    assert run.table().num_rows == 2 * 2
    for cell in run.record.cells:
        assert cell.state == "stopped" and cell.similarity is None and cell.kind is None
        assert Image.open(run.folder / cell.image).size == (32, 32)
        assert (run.folder / cell.sheet).is_file()


def breaks_at(monkeypatch, call, error):
    """The `call`-th decoding raises `error`."""
    real, count = models_decode.decode, [0]

    def decode(*args: object, **more: object) -> torch.Tensor:
        count[0] += 1
        if count[0] == call:
            raise error
        return real(*args, **more)

    monkeypatch.setattr(models_decode, "decode", decode)


@pytest.mark.parametrize("call", [1, 3])
def test_a_failed_run_says_why_and_keeps_what_there_is(small, tmp_path, monkeypatch, call):
    breaks_at(monkeypatch, call, RuntimeError("the lamp went out\nand more"))
    with pytest.raises(RuntimeError):
        list(compare(small.ask(), tmp_path / "run"))
    run = store.open_folder(tmp_path / "run")
    assert run.record.state == "failed" and "the lamp went out" in run.record.error
    assert "\n" not in run.record.error
    assert run.table().num_rows == 2 * (call - 1)
    assert all(c.state == "failed" for c in run.record.cells)


def test_a_run_that_cannot_be_written_fails_and_says_so(small, tmp_path, monkeypatch):
    def save(*_, **__):
        raise ValueError("no such mode")

    with closing(compare(small.ask(), tmp_path / "run")) as progress:
        next(progress)
        monkeypatch.setattr(Image.Image, "save", save)
        with pytest.raises(ValueError, match="no such mode"):
            deque(progress, maxlen=0)


def test_ctrl_c_is_a_stop(small, tmp_path, monkeypatch):
    breaks_at(monkeypatch, 3, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        list(compare(small.ask(), tmp_path / "run"))
    run = store.open_folder(tmp_path / "run")
    assert run.record.state == "stopped" and run.table().num_rows == 2 * 2


def test_without_a_corpus_there_is_no_verdict(small, tmp_path):
    run = finish(small.ask(corpus=""), tmp_path / "run")[1]
    assert run.record.corpus is None
    for cell in run.record.cells:
        assert cell.similarity is None and cell.match is None and cell.matches == ()
        assert cell.verdict == "No corpus"


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_every_scheduler_makes_a_run(small, tmp_path, scheduler):
    run = finish(small.ask(scheduler=scheduler), tmp_path / "run")[1]
    assert run.record.state == "done"
    assert run.table().num_rows == 2 * len(run.record.timesteps)


def test_a_run_remembers_size_spacing_and_number_format(small, tmp_path):
    asked = small.ask(size=48, spacing="linspace", dtype="bfloat16", keep=True)
    run = finish(asked, tmp_path / "20260101-000000-abcd")[1]
    request, [cell, _] = run.record.request, run.record.cells
    assert (request.size, request.spacing, request.dtype) == (48, "linspace", "bfloat16")
    assert Image.open(run.folder / cell.image).size == (48, 48)
    assert run.record.tile == 48 and run.record.timesteps == (999, 666, 333, 0)
    with pytest.raises(MemvizError, match="multiple of 8"):
        small.ask(size=50)
    with pytest.raises(MemvizError, match="float32, float16, bfloat16"):
        small.ask(dtype="int8")


def test_a_run_without_a_folder_is_kept_at_home(small):
    last, run = finish(small.ask(methods=["cfg"], steps=2))
    assert run.folder == store.root() / run.record.id
    assert store.read(run.record.id).record == run.record
    assert last.snapshot().record.state == "done"


@pytest.mark.parametrize("wrong", ["model", "corpus", "descriptor"])
def test_a_missing_part_gets_a_sentence_and_leaves_no_run(small, tmp_path, wrong):
    with pytest.raises(MemvizError, match=r"nowhere"):
        list(compare(small.ask(**{wrong: "/nowhere/at/all"}), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_a_saved_run_is_read_without_torch(done):
    code = """
import sys
sys.modules.update(dict.fromkeys(("torch", "diffusers", "transformers", "faiss")))
from pathlib import Path
from memviz.runs import store, trace
run = store.open_folder(Path(sys.argv[1]))
print(run.record.state, run.table().num_rows, len(trace.split_cells(run.table())[1].observations))
"""
    told = subprocess.run(
        [sys.executable, "-c", code, done.folder], cwd=ROOT, capture_output=True, text=True
    )
    assert told.stdout.split() == ["done", "16", "4"], told.stderr
