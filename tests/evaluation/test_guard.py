"""A picture that is too near is refused, the next way is tried, and the evidence is kept."""

import json
from pathlib import Path

import pytest
from PIL import Image

from memviz import resources
from memviz.errors import InputError
from memviz.evaluation.guard import guard_picture
from memviz.retrieval.copy_detector import CopyDetector
from tests.support import samples, world
from tests.support.command_line import call


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    return world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def detector(tiny: world.World) -> CopyDetector:
    return resources.load_detector(str(tiny.corpus), str(tiny.descriptor))


def test_the_first_picture_that_is_far_enough_ends_it(detector: CopyDetector) -> None:
    copy, other = detector.corpus.image(3), samples.smooth(99, (32, 32))
    near = detector.match([other], 1)[0][0].similarity
    made: list[str] = []

    def way(name: str, image: Image.Image):
        return lambda: made.append(name) or image

    ways = {"a": way("a", copy), "b": way("b", other), "c": way("c", other)}
    attempts = guard_picture(ways, detector, (near + 1) / 2)
    assert made == ["a", "b"]
    assert [attempt.accepted for attempt in attempts] == [False, True]
    assert attempts[0].match.id == 3
    assert attempts[0].match.similarity == pytest.approx(1, abs=1e-3)


def test_no_way_far_enough_accepts_nothing(detector: CopyDetector) -> None:
    attempts = guard_picture({"a": lambda: detector.corpus.image(0)}, detector, 0.9)
    assert not attempts[-1].accepted


def test_what_cannot_be_asked_is_said(detector: CopyDetector) -> None:
    with pytest.raises(InputError, match="similarity above -1"):
        guard_picture({"a": lambda: samples.smooth(0)}, detector, 2)
    with pytest.raises(InputError, match="at least one method"):
        guard_picture({}, detector)


def test_the_verb_keeps_the_evidence(tiny: world.World, tmp_path: Path) -> None:
    words = ["guard", "--prompt", "a fox", "--model", tiny.model, "--corpus", tiny.corpus]
    words += ["--descriptor", tiny.descriptor, "--steps", "2", "--methods", "cfg,stp:at=500"]
    strict = call(*words, "--out", tmp_path / "strict", "--threshold", "-0.99")
    assert strict.returncode == 0, strict.stderr
    told = json.loads((tmp_path / "strict/guard.json").read_text())
    assert told["accepted"] is None
    assert [row["way"] for row in told["attempts"]] == ["cfg", "stp:at=500"]
    assert "No picture" in strict.stdout
    assert not (tmp_path / "strict/accepted.png").exists()
    assert (tmp_path / "strict" / told["attempts"][1]["nearest"]["image"]).is_file()
    loose = call(*words, "--out", tmp_path / "loose", "--threshold", "1")
    assert "accepted.png is of cfg" in loose.stdout
    made = (tmp_path / "loose/accepted.png").read_bytes()
    assert made == (tmp_path / "loose/0.png").read_bytes()
    assert call(*words, "--out", tmp_path / "loose").returncode == 2
