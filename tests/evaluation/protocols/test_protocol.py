"""Protocols as files: the bundled ones, somebody's own, and what is said of a mistake."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from memviz.errors import InputError
from memviz.evaluation.columns import COLUMNS
from memviz.evaluation.protocols import list_protocols, load_protocol
from memviz.guidance.spec import MethodSpec
from memviz.retrieval.descriptors.presets import PRESETS

OURS = ("standard", "tradeoff")
OWN = 'about = "mine"\npaper = "none"\n'


def test_the_bundled_ones_are_those_of_the_papers() -> None:
    papers = {"dcr", "iet-agc-sd", *(f"jain-{n}" for n in range(1, 5)), "membench"}
    assert set(list_protocols()) == papers | {"wen-detect", "wen-mitigate", *OURS}


@pytest.mark.parametrize("name", list_protocols())
def test_each_says_what_it_needs_and_is_published(name: str) -> None:
    protocol = load_protocol(name)
    assert protocol.name == name
    assert protocol.descriptor == "demo" or protocol.descriptor in PRESETS
    keys = [MethodSpec.parse(text).key for text in protocol.methods]
    judges = {COLUMNS[column].judge for column in protocol.columns}
    of_training = any(COLUMNS[column].corpus for column in protocol.columns)
    if name not in OURS:
        assert protocol.need("model")
        assert protocol.need("clip") or "clip" not in judges
        assert protocol.need("corpus") or not of_training
    for row in protocol.published:
        assert row.method.partition(":")[0] in keys or row.note
        assert set(row.values) <= set(COLUMNS)
        assert row.values


def test_the_published_figures_of_scenario_1() -> None:
    protocol = load_protocol("jain-1")
    rows = {row.method: row.values for row in protocol.published}
    assert rows["stp"] == {"sim_95pc": 0.2857, "clipscore_dcr": 0.2976, "fid-dcr": 19.85}
    assert (protocol.size, protocol.scheduler) == (256, "dpm")
    assert (protocol.draw, protocol.limit) == (42, 10_000)


def test_a_file_of_ones_own_is_taken_and_cannot_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OWN + 'methods = ["cfg:scale=5"]\n[needs.model]\nwhat = "a model"\n')
    protocol = load_protocol(file)
    assert (protocol.name, protocol.methods) == ("mine", ("cfg:scale=5",))
    assert str(protocol.need("model")) == "a model (size not stated, license not stated)"
    with pytest.raises(FrozenInstanceError):
        protocol.steps = 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('columns = ["fidelity"]', "no column is named 'fidelity'"),
        ('methods = ["none"]', "No method is named 'none'"),
        ('seeds = ["one"]', r"seeds\.0"),
        ("seeds = []", "seeds is empty"),
        ("seeds = [-1]", "from 0 on"),
        ("steps = 1", "steps is 1"),
        ('scheduler = "euler"', "use ddim, dpm, pndm"),
        ("stepps = 3", "stepps"),
        ('template = "An image"', "has no"),
        ('clip_preparation = "both"', "use own or dcr"),
        ("needs = 3", "must be tables"),
        ('[needs.gpu]\nwhat = "a card"', "name one of model"),
        ('[[published]]\nmethod = "cfg"\nfidelity = 3', "fidelity"),
        ("about", "not a protocol"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(OWN + text)
    with pytest.raises(InputError, match=said) as caught:
        load_protocol(file)
    assert str(caught.value).startswith(f"{file} is not a protocol")
    assert "\n" not in str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="Choose dcr, iet-agc-sd"):
        load_protocol("dcr2")
