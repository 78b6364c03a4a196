"""A corpus that is new to the Neighbours tab: a real job indexes it, stopped once on the way."""

from pathlib import Path

import pytest

from memviz import jobs
from memviz.errors import InputError
from memviz.io import user_config
from memviz.ui.neighbours import background, indexing, queries
from tests.support.processes import until
from tests.support.samples import smooth

pytestmark = pytest.mark.usefixtures("jobs_home")

PATIENCE = 600  # seconds: torch may take a minute to import on a busy machine
COUNT = 600  # three parts of an index


@pytest.fixture
def new(tmp_path: Path) -> str:
    place = tmp_path / "new"
    place.mkdir()
    for i in range(COUNT):
        smooth(i, (32, 32)).save(place / f"{i:04}.jpg")
    return str(place)


def over(job: jobs.Job) -> str:
    until(lambda: job.state().over, PATIENCE)
    return job.state().name


def test_it_is_indexed_in_the_background_stopped_gone_on_with_and_searched(
    new: str, tiny_descriptor: Path
) -> None:
    asked = (new, str(tiny_descriptor))
    with pytest.raises(indexing.Begun, match="Ask again when it is done"):
        queries.find_detector(*asked)
    (job,) = background.known()
    until(lambda: job.state().name == "running", PATIENCE)
    listed, menu, clock, stop, resume, ids = background.standing()
    assert "Index of new by" in listed and "Running." in listed and not menu.visible
    assert clock.active and stop.visible and not resume.visible and ids == [job.id, ""]
    assert indexing.begin(*asked).id == job.id  # not a second one
    assert background.stop(ids) == ""
    assert over(job) == "stopped", job.log_tail()
    listed, _, clock, stop, resume, ids = background.standing()
    assert "Stopped." in listed and ids == ["", job.id]
    assert not clock.active and not stop.visible and resume.visible
    with pytest.raises(indexing.Begun):  # asking again goes on with it
        queries.find_detector(*asked)
    assert "can be resumed" in background.resume(ids)  # it runs already
    assert over(job) == "done", job.log_tail()
    last = job.last_metric()
    assert (last["done"], last["total"]) == (COUNT, COUNT)
    assert "done, it can be searched now" in background.standing()[0]
    detector = queries.find_detector(*asked)
    similarity, ids = detector.index.search(
        detector.descriptor.embed([detector.corpus.image(7)]), 1
    )
    assert similarity[0, 0] > 0.999 and len(background.known()) == 1


def test_a_visitor_of_a_public_page_starts_nothing(
    new: str, tiny_descriptor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_config.add("corpora", "new", new)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    with pytest.raises(InputError, match="only the owner"):
        indexing.searchable("new", str(tiny_descriptor))
    with pytest.raises(InputError, match="choose corpus and descriptor from the lists"):
        queries.find_detector("new", "demo:forced")
    assert background.standing()[0] == "" and jobs.listing() == []
