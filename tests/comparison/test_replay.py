"""A bundle that is opened and made again tells how far the pictures are from those it holds."""

import json
from collections import deque

import numpy as np
import pytest
from PIL import Image

from memviz.comparison.compare import compare
from memviz.comparison.replay import measure_difference
from memviz.errors import InputError
from memviz.io.ids import new_id
from memviz.runs import bundle, store
from tests.support import world
from tests.support.command_line import call


def test_the_same_machine_makes_the_same_pictures_and_a_changed_one_is_measured(tmp_path):
    small = world.build(tmp_path / "world")
    theirs = tmp_path / "theirs" / new_id()
    last = deque(compare(small.ask(seeds=[0, 5]), theirs), maxlen=1).pop()
    file = bundle.pack_run(last.snapshot(), tmp_path / "run.zip")
    told = json.loads(call("open", file, "--again", "--json", home=tmp_path / "home").stdout)
    assert told["largest_difference"] == 0 and told["same_model"] and told["again"] != told["run"]
    run = store.open_folder(tmp_path / "home" / "runs" / told["run"])
    again = store.open_folder(tmp_path / "home" / "runs" / told["again"])
    assert again.record.request == run.record.request and again.record.title.endswith("(again)")
    pixels = np.asarray(again.image(2)).copy()
    pixels[3, 4, 1] ^= 64
    Image.fromarray(pixels).save(again.folder / again.record.cells[2].image)
    assert measure_difference(run, again) == 64
    fewer = store.Run(run.folder, run.record.model_copy(update={"cells": run.record.cells[:1]}))
    with pytest.raises(InputError, match="the same pictures"):
        measure_difference(run, fewer)
