"""The study of IET-AGC that is shipped: its page says what its figures say."""

import json

import pytest

from memviz.io import paths
from memviz.models.loading import UNETS, bundled
from memviz.training.config import from_json
from memviz.training.studies import iet_agc_demo, publish

SHIPPED = publish.results_file().is_file()


def figures(**changes):
    found = {"copied": 0.5, "similarity_mean": 0.8, "similarity_95pc": 0.9, "alignment": 0.8}
    found |= {"frechet": 0.25, "skip_duplicated": 0.2, "skip_single": 0.1}
    return found | {"samples_seen": 64_000, "seconds": 1234.5} | changes


@pytest.fixture
def found():
    modes = dict.fromkeys(("before", "plain", "iet", "agc"), figures())
    modes["iet_agc"] = figures(copied=0.125, alignment=0.76)
    return modes | {"settings": iet_agc_demo.settings().to_json()}


def test_the_page_is_brought_up_to_date_between_its_marks(found):
    page = f"before\n{publish.BEGIN}\nold\n{publish.END}\nafter\n"
    made = publish.refresh(page, found)
    assert made.startswith("before\n") and made.endswith("\nafter\n") and "old" not in made
    assert publish.refresh(made, found) == made
    assert "| iet-agc | 0.125 | 0.800 | 0.900 | 0.760 | 0.250 |" in made
    assert "| 64,000 | 1,234 |" in made
    assert "copies 0.25 times as often as plain fine-tuning on as many samples, at 0.95" in made
    found["plain"]["copied"] = {"mean": 0.5, "low": 0.4, "high": 0.6}
    assert "| plain | 0.500 (0.400 to 0.600) |" in publish.refresh(made, found)


def test_the_page_says_what_was_measured_or_that_nothing_was():
    page = paths.page(publish.PAGE).read_text("utf-8")
    if SHIPPED:
        assert publish.refresh(page, json.loads(publish.results_file().read_text("utf-8"))) == page
    else:
        assert "No table stands here yet." in page


@pytest.mark.skipif(not SHIPPED, reason="no study is shipped")
def test_the_shipped_study_is_told_with_what_its_controls_found():
    found = json.loads(publish.results_file().read_text("utf-8"))
    page, told = paths.page(publish.PAGE), paths.page("command-line.md").read_text("utf-8")
    for mode in ("plain", "iet_agc"):
        assert f"{publish.mean_of(found[mode]['copied']):.3f}" in told
    assert "a model that was trained less" in told
    assert "a model that was trained less" in page.read_text("utf-8")


def test_the_model_is_named_where_it_is_shipped():
    assert ("demo-iet-agc" in bundled()) == publish.unet().is_dir() == SHIPPED
    assert UNETS["demo-iet-agc"][0] == publish.unet().name


def test_a_finished_study_is_read_and_not_made_again(found, tmp_path):
    """Also when a setting was added since: it had its default then."""
    config = from_json(found["settings"])
    for name in ("before", *publish.MODES):
        mode = config.mode if name == "before" else name.replace("_", "-")
        own = {**config.to_json(), "mode": mode}
        del own["text_encoder"]
        (tmp_path / f"{name}.json").write_text(json.dumps(found[name] | {"config": own}))
    again = dict(iet_agc_demo.reproduce(config, tmp_path, lambda text: pytest.fail(text)))
    assert again == {name: found[name] for name in ("before", *publish.MODES)}
