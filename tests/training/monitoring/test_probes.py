"""What is watched while it trains: whose prompts, which pictures are copies, when to stop."""

import json

import numpy as np
import pytest

from memviz import resources
from memviz.data import corpus as corpora
from memviz.training.config import Config
from memviz.training.data.duplicates import components, groups, sizes
from memviz.training.monitoring.monitor import copying_from, stop_here
from memviz.training.monitoring.probes import Judge, of_corpus, prompts
from memviz.training.studies.iet_agc_demo import frechet
from tests.support import samples, world


def looked(*shares):
    groups = [{"duplicated": {"copied": share}} for share in shares]
    return [{"round": i, "step": 10 * i, "groups": group} for i, group in enumerate(groups)]


@pytest.mark.parametrize(
    ("shares", "round"),
    [((0, 0.05, 0.1), None), ((0, 0.05, 0.2, 0.9), 1), ((0.5, 0.55, 0.5), None), ((0, 0.5), 0)],
)
def test_stop_before_the_first_round_that_copies_more_than_the_first_model(shares, round):
    assert stop_here(looked(*shares)) == round


def test_probes_have_the_size_of_the_training(tmp_path):
    made = world.build(tmp_path)
    model = resources.load_model(str(made.model))
    detector = resources.load_detector(str(made.corpus), str(made.descriptor))
    judge = Judge(model.pipe, model.folder, detector, 2, 48)
    assert judge.look(["a fox"]).pictures[0].size == (48, 48)


def test_one_look_says_nothing():
    assert stop_here(looked(1.0)) is copying_from(looked(1.0)) is None


def test_copying_found_within_a_round_is_dated_and_the_round_before_it_kept():
    """A member's weights are not saved: only averages can be stopped at."""
    looks = looked(0, 0.5)
    within = {"round": 1, "step": 5, "member": 0, "groups": looks[1]["groups"]}
    assert copying_from([looks[0], within, looks[1]]) == 5
    assert stop_here([looks[0], within]) is None
    assert stop_here([looks[0], within, looks[1]]) == 0


def test_prompts_of_the_corpus_are_what_repeats_most_and_what_appears_once():
    captions = ["a", "b", "c", "a", ""]
    found = of_corpus(captions, np.array([2, 1, 9, 2, 1]), 0)
    assert found["duplicated"] == ["c", "a"] and found["single"] == ["b"]


def test_prompts_come_from_a_file_of_groups(tmp_path):
    file = tmp_path / "prompts.json"
    file.write_text(json.dumps({"mine": ["x", "y", "z"], "none": []}))
    config = Config(probes=str(file), probe_prompts=2)
    assert prompts(config, [], np.array([])) == {"mine": ["x", "y"]}


@pytest.mark.parametrize("text", ["[1]", '{"a": [1]}', "no json"])
def test_a_file_that_holds_no_prompts_is_one_sentence(tmp_path, text):
    file = tmp_path / "prompts.json"
    file.write_text(text)
    with pytest.raises(ValueError, match="is not a file of prompts"):
        prompts(Config(probes=str(file)), [], np.array([]))


def test_things_joined_through_others_are_one_group():
    found = components(6, [(0, 3), (3, 5), (1, 2)])
    assert found[0] == found[3] == found[5] and found[1] == found[2]
    assert len(set(found.tolist())) == 3


def test_copies_count_the_entries_of_all_that_shows_the_same():
    assert sizes(np.array([0, 1, 0, 2]), np.array([5, 1, 2, 1])).tolist() == [7, 1, 7, 1]


def test_without_a_descriptor_copies_are_files_that_are_the_same(tmp_path):
    for i, seed in enumerate((1, 2, 1)):
        samples.smooth(seed, (32, 32)).save(tmp_path / f"{i}.png")
    found = groups(corpora.load(tmp_path), None)
    assert found[0] == found[2] != found[1]


def test_with_a_descriptor_copies_are_pictures_alike(tmp_path):
    made = world.build(tmp_path)
    bright = samples.smooth(2, (32, 32)).point(lambda value: min(255, value + 1))
    bright.save(made.corpus / "0007.png")  # hardly different from 0002.png
    preset = made.descriptor / "preset.json"
    preset.write_text(json.dumps(json.loads(preset.read_text()) | {"copied": 0.9999}))
    detector = resources.load_detector(str(made.corpus), str(made.descriptor))
    found = groups(detector.corpus, detector)
    assert found[7] == found[2] and len(set(found.tolist())) == 7


def test_the_frechet_distance_of_two_gaussians_is_the_closed_form():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20_000, 2)), rng.normal(size=(20_000, 2)) * 2 + [3, 0]
    assert frechet(a, b) == pytest.approx(9 + 2 * (1 + 4 - 2 * 2), rel=0.03)
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
