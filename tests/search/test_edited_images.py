"""Pictures as they come back: each case, what is said of it, and a link to what was found."""

import json
import re
from pathlib import Path

import pytest

from memviz.data import corpus as corpora
from memviz.data.formats.files import PictureBytes
from memviz.errors import MemvizError
from memviz.io import paths
from memviz.search import edited_images, folder
from tests.support.samples import smooth


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> corpora.Corpus:
    place = tmp_path_factory.mktemp("corpus")
    for i in range(6):
        smooth(i).save(place / f"{i}.png")
        (place / f"{i}.txt").write_text(f"scene {i}")
    return corpora.load(place)


@pytest.mark.parametrize("name", edited_images.CASES)
def test_a_case_is_made_of_training_images_by_chance(corpus: corpora.Corpus, name: str) -> None:
    case = edited_images.CASES[name]
    made, used = edited_images.pictures(corpus, name, seed=3)
    assert (len(made), len(used)) == (case.shown, case.needs)
    assert set(used) <= set(corpus.ids)
    assert made.caption(0) == (corpus.caption(used[0]) if case.needs == 1 else "")
    again, _ = edited_images.pictures(corpus, name, seed=3)
    assert made.hash == again.hash
    if name == "as_it_is":
        assert made.image(0).tobytes() == corpus.image(used[0]).tobytes()
    elif used:
        assert made.image(0).tobytes() != corpus.image(used[0]).tobytes()


def test_two_logos_differ(corpus: corpora.Corpus) -> None:
    made, _ = edited_images.pictures(corpus, "unrelated_logos", seed=0)
    assert made.image(0).tobytes() != made.image(1).tobytes()


@pytest.mark.parametrize("name", edited_images.CASES)
def test_every_case_was_measured(name: str) -> None:
    told = json.loads(paths.page("cases.json").read_text())["cases"][name]
    said = edited_images.said(name, [7] * edited_images.CASES[name].needs)
    assert f"{told['copied']:.0%} were “Copied”" in said
    assert ("#7" in said) == (edited_images.CASES[name].needs > 0)


def test_the_table_of_cases_is_the_measured_one() -> None:
    page = paths.page("scale.md").read_text().partition("## What still finds")[2]
    rows = re.findall(r"\| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    measured = json.loads(paths.page("cases.json").read_text())["cases"]
    assert sorted(rows) == sorted(
        (f"{case['found']:g}", f"{case['copied']:g}") for case in measured.values() if len(case) > 1
    )


def test_pictures_made_here_have_no_further_column() -> None:
    with pytest.raises(MemvizError, match="no column 'copies'"):
        PictureBytes([b""], [""], ["a"]).column("copies")


def test_only_a_search_that_is_kept_has_a_link(home: Path) -> None:
    place = folder.new_folder()
    for wanted in ("", "..", place.name, "../searches"):
        with pytest.raises(MemvizError, match="no search at this address"):
            folder.kept(wanted)
    place.mkdir(parents=True)
    (place / "summary.json").write_text("{}")
    assert folder.kept(place.name) == place
