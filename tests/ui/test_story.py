"""The story of the opening page says what its run shows."""

import json

from memviz.io.paths import demo
from memviz.runs import store
from memviz.ui.compare import tab
from memviz.ui.compare.story import find_pair
from memviz.ui.shared import examples
from memviz.ui.transition import tab as transition_tab
from memviz.ui.transition import view as transition_view


def test_the_bundled_example_tells_a_story_with_its_own_numbers():
    run = tab.example()
    view = tab.saved(run)
    story, mark = view["story"], run.record.copy_mark
    copy, other = (view["cells"][story[name]] for name in ("copy", "other"))
    assert (copy["prompt"], copy["seed"]) == (other["prompt"], other["seed"])
    assert copy["kind"] == "copied" and other["kind"] == "none"
    assert f"#{copy['match']['id']}" in story["copied"]
    assert f"{copy['similarity']:.2f}" in story["copied"]
    assert f"{other['similarity']:.2f}" in story["changed"]
    near, step = copy["trace"]["similarity"], story["step"]
    assert min(near[step:]) >= mark > near[step - 1]
    assert f"step {step} of" in story["decided"]


def test_a_run_without_a_copy_tells_none():
    clean = [run for run in store.bundled() if all(c.kind == "none" for c in run.record.cells)]
    assert clean and all(find_pair(run.record.cells) is None for run in clean)
    assert all(tab.saved(run)["story"] is None for run in clean)


def test_swapped_captions_say_how_often_they_are_copied():
    share = json.loads((demo() / "report.json").read_text())["copied_cfg_swapped"]
    assert examples.group_titles()["swapped"].endswith(f"{share:.0%} copied all the same")


def test_transition_opens_with_a_finished_sweep_that_its_menu_names():
    sweep = transition_tab.bundled_sweep()
    view = transition_view.view(sweep)
    assert view["sweep"]["best"] and len(view["cells"]) == len(sweep.record.cells)
    pictures = f"({len(sweep.record.cells)} pictures)"
    assert any(
        pictures in name and key == sweep.record.id for name, key in transition_tab.choices()
    )
