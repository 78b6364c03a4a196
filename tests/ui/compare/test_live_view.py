"""A run under way is sent once whole, then as what was added; together they are the whole view."""

import json
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("gradio")

from memviz.runs import store
from memviz.runs.record import CellState
from memviz.ui.compare import view as compare_view
from memviz.ui.compare.live_view import LiveView
from tests.support import fixture_run

STEPS = 6


def under_way(run, step):
    """The run as it stood after some steps; pictures of pairs of cells are the same."""
    table = run.table().sort_by([("step", "ascending"), ("cell", "ascending")])
    count = len(run.record.cells)
    cells = tuple(
        cell.model_copy(
            update={"state": CellState.RUNNING}
            | ({} if (cell.transition_step or 0) < step else {"transition_step": None})
        )
        for cell in run.record.cells
    )
    record = run.record.model_copy(update={"cells": cells, "state": CellState.RUNNING})
    taken = store.Run(run.folder, record, table.slice(0, step * count))
    tiles = [np.full((4, 4, 3), 20 * step + n, np.uint8) for n in range(count // 2)]
    shown = tuple(tiles[n // 2] for n in range(count))
    return SimpleNamespace(step=step, steps=STEPS, tiles=shown, snapshot=lambda: taken)


def add_steps(view, patch):
    """As patch.js does it."""
    for cell in patch["changed"]:
        view["cells"][cell["cell"]] |= cell
    for number, cell in enumerate(view["cells"]):
        for name, columns in patch["added"].items():
            cell["trace"][name] += columns[number]
        cell["preview"] = patch["pictures"][patch["shown"][number]]
    view |= {"step": patch["step"], "result": patch["result"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return store.open_folder(fixture_run.make(tmp_path_factory.mktemp("live"), steps=STEPS))


def test_whole_and_patches_make_the_view_of_the_last_step(run):
    live = LiveView()
    live.add(under_way(run, 1))
    seen, late = live.whole(), None
    for step in (2, 3, 5, 6):
        live.add(under_way(run, step))
        add_steps(seen, json.loads(json.dumps(live.since(seen["step"]))))
        late = late or live.whole()
    add_steps(late, live.since(late["step"]))
    last = under_way(run, STEPS)
    wanted = compare_view.view(last.snapshot(), live=True)
    for cell, made in zip(wanted["cells"], live.whole()["cells"], strict=True):
        assert made | {"preview": None} == cell
    assert seen == late == live.whole()


def test_a_patch_holds_each_picture_once_and_only_cells_that_changed(run):
    live = LiveView()
    for step in (1, 2, 3):
        live.add(under_way(run, step))
    patch = live.since(2)
    assert len(patch["pictures"]) == len(run.record.cells) // 2
    switched = [c.number for c in run.record.cells if c.transition_step == 2]
    assert switched and [cell["cell"] for cell in patch["changed"]] == switched
    assert all(len(values) == 1 for column in patch["added"].values() for values in column)


def test_a_message_costs_the_same_at_every_step(run):
    live, sizes = LiveView(), []
    for step in range(1, STEPS + 1):
        live.add(under_way(run, step))
        bare = live.since(step - 1) | {"changed": [], "pictures": []}
        sizes.append(len(json.dumps(bare)))
    assert max(sizes) < 1.1 * min(sizes)


def test_a_view_crosses_to_another_process_and_goes_on(run):
    live = LiveView()
    live.add(under_way(run, 1))
    again = pickle.loads(pickle.dumps(live))
    assert again.whole() == live.whole()
    again.add(under_way(run, 2))
    assert again.since(1)["step"] == 2
