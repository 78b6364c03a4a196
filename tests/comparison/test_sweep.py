"""A sweep is a run laid out, its branches share what they have in common, and a run can go on."""

from contextlib import closing

import pytest
import torch
from safetensors.torch import load_file, save_file

from memviz.comparison import sweep
from memviz.comparison.compare import compare
from memviz.errors import MemvizError
from memviz.guidance.base import Observation
from memviz.guidance.prompt_optimization import PromptOptimization
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import MethodSpec
from memviz.guidance.switch import AtTimestep, FirstMinimum
from memviz.guidance.transition import Constant, TwoPhase
from memviz.models.schedulers import scheduler
from memviz.runs import resume, store
from memviz.sampling.loop import sample
from memviz.sampling.types import Request, ResumeState
from tests.support import tiny, world
from tests.support.records import cell_record

AT = [100, 300, 500, 700, 900]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


def finish(ask):
    with closing(compare(ask)) as progress:
        *_, last = progress
    return store.open_folder(last.snapshot().folder)


def branches(pipe, name="ddim"):
    requests = [Request("a fox", s, TwoPhase(switch=AtTimestep(at))) for at in AT for s in (0, 1)]
    return list(sample(pipe, requests, scheduler(pipe, name, 10)))


@pytest.mark.parametrize("name", ["ddim", "dpm", "pndm"])
def test_shared_branches_make_the_pictures_of_separate_runs(name):
    pipe = tiny.pipeline(prediction="v_prediction")
    together = branches(pipe, name)[-1]
    alone = [
        list(sample(pipe, [Request("a fox", s, TwoPhase(switch=AtTimestep(at))) for s in (0, 1)],
                    scheduler(pipe, name, 10)))[-1]
        for at in AT
    ]  # fmt: skip
    rows = torch.cat([step.latents for step in alone])
    torch.testing.assert_close(together.latents, rows, atol=1e-4, rtol=0)
    assert together.evaluations <= 0.6 * sum(step.evaluations for step in alone)


@pytest.mark.parametrize("name", ["ddim", "dpm", "pndm"])
def test_going_on_from_a_kept_step_equals_a_fresh_run(name):
    pipe = tiny.pipeline()
    first = [Request("a fox", 0, TwoPhase(switch=AtTimestep(700)))]
    old = list(sample(pipe, first, scheduler(pipe, name, 10)))
    seen = [Observation(s.t, {"magnitude": s.signals["magnitude"][0]}) for s in old]
    k = resume.count_shared(TwoPhase(switch=AtTimestep(300)), seen, [s.scales[0] for s in old])
    assert k == next(i for i, s in enumerate(old) if s.t <= 700) > 0
    known = ResumeState(torch.stack([s.prediction for s in old[:k]]), [s.signals for s in old[:k]])
    request = [Request("a fox", 0, TwoPhase(switch=AtTimestep(300)))]
    resumed = list(sample(pipe, request, scheduler(pipe, name, 10), past=known))
    fresh = list(sample(pipe, request, scheduler(pipe, name, 10)))
    assert torch.equal(resumed[-1].latents, fresh[-1].latents)
    assert resumed[-1].evaluations == fresh[-1].evaluations - 2 * k
    for a, b in zip(resumed, fresh, strict=True):
        assert a.scales == b.scales and torch.equal(a.x0, b.x0)
        assert a.signals["magnitude"] == pytest.approx(b.signals["magnitude"], rel=1e-6)


def test_methods_share_a_trace_until_their_scales_differ():
    seen = [Observation(900 - 100 * i, {"magnitude": m}) for i, m in enumerate([5, 3, 1, 2, 4, 6])]
    zero = [0.0, 0.0, 0.0, 7.5, 7.5, 7.5]  # as dtp: the dip shows at index 3
    assert resume.count_shared(TwoPhase(switch=FirstMinimum()), seen, zero) == 6
    assert resume.count_shared(TwoPhase(switch=AtTimestep(500)), seen, zero) == 3
    assert resume.count_shared(Constant(), seen, zero) == 0


def test_a_run_goes_on_from_a_kept_cell(small):
    first = finish(small.ask(methods=["stp:at=700"], keep=True, steps=6))
    cell = first.record.cells[0]
    assert cell.kept_bytes == resume.kept_file(first.folder, 0).stat().st_size
    since = {"methods": ["stp:at=200"], "since": f"{first.record.id}:0", "steps": 6}
    went_on, fresh = finish(small.ask(**since)), finish(small.ask(**since | {"since": ""}))
    from PIL import Image

    pictures = [Image.open(r.folder / "images/0.png").tobytes() for r in (went_on, fresh)]
    assert pictures[0] == pictures[1]
    assert went_on.record.unet_evaluations < fresh.record.unet_evaluations
    assert went_on.table().column("scale").to_pylist() == fresh.table().column("scale").to_pylist()


def test_one_picture_of_several_seeds_goes_on(small):
    first = finish(small.ask(methods=["stp:at=700"], seeds=[0, 5], keep=True, steps=6))
    more = {"methods": ["stp:at=200"], "seeds": [5], "steps": 6}
    went_on = finish(small.ask(**more, since=f"{first.record.id}:1"))
    fresh = finish(small.ask(**more))
    assert went_on.record.unet_evaluations < fresh.record.unet_evaluations
    scales = [run.table().column("scale").to_pylist() for run in (went_on, fresh)]
    assert scales[0] == scales[1]
    before = {folder.name for folder in store.root().iterdir()}
    with pytest.raises(MemvizError, match="another starting noise"):
        finish(small.ask(**more | {"seeds": [6]}, since=f"{first.record.id}:1"))
    assert {folder.name for folder in store.root().iterdir()} == before


def test_going_on_is_refused_where_it_cannot_be_exact(small):
    first = finish(small.ask(methods=["stp"], keep=True))
    other = small.ask(methods=["stp:at=200"], since=f"{first.record.id}:0", steps=7)
    with pytest.raises(ValueError, match="timesteps"):
        finish(other)
    assert resume.shared_steps(first, 0, PromptOptimization()) == 0
    for cell in ("7", "", "x"):
        with pytest.raises(MemvizError, match="names no cell"):
            finish(small.ask(methods=["stp:at=200"], since=f"{first.record.id}:{cell}"))
    path = resume.kept_file(first.folder, 0)
    save_file(load_file(path), path)  # as before there was a layout
    with pytest.raises(MemvizError, match="kept by another version"):
        finish(small.ask(methods=["stp:at=200"], since=f"{first.record.id}:0"))
    with pytest.raises(ValueError, match="one cell"):
        small.ask(methods=["stp", "cfg"], since="x:0")


def test_values_are_read_as_ranges_or_lists():
    assert sweep.parse_values("100:900:200") == [100, 300, 500, 700, 900]
    assert sweep.parse_values("0, -1.5") == [0, -1.5]
    for wrong in ("9:1:1", "1:2:0", "a", "", "0:1000:1"):
        with pytest.raises(ValueError, match=r"\.$"):
            sweep.parse_values(wrong)


def test_a_sweep_is_asked_and_laid_out_again():
    made = sweep.request_sweep("a fox", {"at": [300, 100]}, (0, 4), method="og:early=-3")
    assert [m.text for m in made.methods] == ["og:early=-3,at=300", "og:early=-3,at=100"]
    cells = [cell(at, seed) for at in (300, 100) for seed in (0, 4)]
    grid = sweep.grid(cells)
    assert (grid.axis, grid.values, [r.seed for r in grid.rows]) == ("at", [100, 300], [0, 4])
    assert grid.cells[1][0].seed == 4 and sweep.estimated(grid) == [800, 800]
    with pytest.raises(ValueError, match="no setting"):
        sweep.request_sweep("a fox", {"at": [1]}, method="dtp")
    with pytest.raises(ValueError, match="one or two"):
        sweep.request_sweep("a fox", {axis: [0, 1] for axis in ("at", "early", "late")})


@pytest.mark.parametrize("method", [*METHODS, "og:transition=dynamic"])
def test_every_method_can_be_swept_over_each_of_its_numbers(method):
    axes = sweep.list_axes(MethodSpec.parse(method).guidance)
    assert axes
    for knob in axes:
        made = sweep.request_sweep("a fox", {knob.name: [knob.low, knob.high]}, method=method)
        cells = [cell(0, 0, spec=str(method)) for method in made.methods]
        grid = sweep.grid(cells)
        assert (grid.axis, grid.values) == (knob.name, [knob.low, knob.high])


def test_a_number_without_a_say_is_not_swept():
    def names(text):
        return [knob.name for knob in sweep.list_axes(MethodSpec.parse(text).guidance)]

    assert names("og") == ["at", "early", "late"]
    assert names("og:transition=dynamic") == ["latest", "early", "late", "rise"]
    assert names("dtp") == ["latest", "early", "late", "rise"] and names("wen")[-1] == "scale"
    with pytest.raises(ValueError, match="'latest' to vary"):
        sweep.request_sweep("a fox", {"latest": [1]}, method="og")
    kinds = [cell(0, 0, spec=f"og:transition={kind},early={early}")
             for kind, early in (("static", -1), ("dynamic", -2))]  # fmt: skip
    assert sweep.grid(kinds) is None


def test_the_branch_held_back_longest_tells_the_transition():
    cells = [cell(0, 0, spec=f"dtp:latest={t}", estimated_timestep=t) for t in (500, 100)]
    made = sweep.grid(cells)
    assert made.in_timesteps and sweep.estimated(made) == [100]
    early = [cell(0, 0, spec=f"dtp:early={e}", estimated_timestep=e) for e in (0, -2)]
    made = sweep.grid(early)
    assert not made.in_timesteps and sweep.estimated(made) == [0]


def test_two_parameters_vary_at_once_beside_a_probe():
    values = {"at": [300, 100], "early": [0, -2]}
    made = sweep.request_sweep("a fox", values, (0, 4), method="stp:late=5", probe=True)
    texts = [m.text for m in made.methods]
    assert texts[:2] == ["cfg", "stp:late=5,at=300,early=0"] and len(texts) == 5
    specs = [f"stp:at={at},early={early}" for at in (300, 100) for early in (0, -2)]
    cells = [cell(0, s, spec=spec) for s in (0, 4) for spec in ["cfg:scale=5", *specs]]
    grid = sweep.grid(cells)
    assert (grid.axis, grid.across, grid.values) == ("at", "early", [100, 300])
    assert [(r.across, r.seed) for r in grid.rows] == [(-2, 0), (-2, 4), (0, 0), (0, 4)]
    assert all(f"at={at:g}" in c.spec for row in grid.cells
               for at, c in zip(grid.values, row, strict=True))  # fmt: skip
    assert [c.seed for c in grid.group(300, -2)] == [0, 4]


def test_the_best_point_of_two_parameters_names_both():
    rows = [(100, 0, 0.2, 0.3), (100, -2, 0.4, 0.6), (300, 0, 0.95, 0.9), (300, -2, 0.3, 0.5)]
    cells = [cell(0, 0, s, a, spec=f"stp:at={at},early={e}") for at, e, s, a in rows]
    found = sweep.best(sweep.grid(cells), 0.9)
    assert (found["value"], found["across"]) == (100, -2) and "3 such points" in found["reason"]


def test_a_comparison_of_methods_is_no_sweep():
    cells = [cell(300, 0), cell(300, 0, spec="cfg:scale=4")]
    assert sweep.grid(cells) is None


def test_the_best_value_copies_least_and_then_follows_the_prompt():
    rows = [(100, 0.2, 0.3), (300, 0.4, 0.6), (500, 0.5, 0.5), (700, 0.95, 0.9)]
    cells = [cell(at, 0, s, a) for at, s, a in rows]
    found = sweep.best(sweep.grid(cells), 0.9)
    assert found["value"] == 300 and found["copied"] == 0 and "0.60" in found["reason"]
    assert sweep.best(sweep.grid(cells), None) is None


def cell(at, seed, similarity=0.5, alignment=0.5, **more):
    scores = {"similarity": similarity, "alignment": alignment, "estimated_timestep": 800}
    return cell_record(seed=seed, **scores | {"spec": f"stp:at={at}"} | more)
