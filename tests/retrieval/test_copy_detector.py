"""The copy detector: matches, what is left out of them, and an index that is built again."""

from pathlib import Path

import numpy as np
import pytest
import torch

from memviz import resources
from memviz.data import corpus as corpora
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.descriptors.descriptor import descriptor
from memviz.retrieval.index import build
from memviz.retrieval.index.index import Index
from memviz.retrieval.index_store import folder
from memviz.retrieval.verdict import CopyThresholds
from tests.support.samples import smooth


def save_pictures(place: Path, count: int) -> Path:
    place.mkdir(exist_ok=True)
    for i in range(count):
        smooth(i).save(place / f"{i:03}.png")
        (place / f"{i:03}.txt").write_text(f"scene {i}")
    return place


@pytest.fixture
def detector(tmp_path: Path, tiny_descriptor: Path) -> CopyDetector:
    corpus, network = (
        corpora.load(save_pictures(tmp_path / "corpus", 12)),
        descriptor(tiny_descriptor),
    )
    return CopyDetector(corpus, network, Index.build(corpus, network))


def test_matches_are_what_the_index_finds_with_what_the_corpus_says_of_them(detector) -> None:
    images = [smooth(5), smooth(99)]
    similarity, ids = detector.index.search(detector.embed(images), 3)
    for found, values, numbers in zip(detector.match(images, 3), similarity, ids, strict=True):
        assert [m.id for m in found] == numbers.tolist()
        assert [m.similarity for m in found] == pytest.approx(values.tolist(), abs=5.1e-5)
        assert [m.caption for m in found] == [f"scene {id}" for id in numbers]
        assert [Path(m.path).name for m in found] == [f"{id:03}.png" for id in numbers]
        background = detector.index.background[numbers]
        assert [m.background for m in found] == pytest.approx(background.tolist())


def test_a_picture_of_the_corpus_is_left_out_of_its_own_matches(detector) -> None:
    images = [smooth(5), smooth(99)]
    whole = detector.match(images, 3)
    first, other = detector.match(images, 3, own=[5, None])
    assert whole[0][0].id == 5 and [m.id for m in first[:2]] == [m.id for m in whole[0][1:]]
    assert len(first) == 3 and other == whole[1]


def test_with_a_least_similarity_all_from_there_on_are_matches(detector) -> None:
    (every,) = detector.match([smooth(5)], 12)
    (found,) = detector.match([smooth(5)], 2, least=every[6].similarity)
    assert found == every[:7]
    (few,) = detector.match([smooth(5)], 2, least=2.0)
    assert few == every[:2]


def test_a_tensor_is_looked_up_as_the_picture_it_is(detector) -> None:
    x = torch.from_numpy(np.array(smooth(5))).permute(2, 0, 1)[None] / 127.5 - 1
    assert detector.embed(x) == pytest.approx(detector.embed([smooth(5)]), abs=1e-3)


def test_a_picture_without_a_finite_descriptor_has_no_match_and_no_verdict(detector) -> None:
    (found,) = detector.match_vectors(np.full((1, detector.index.manifest.dims), np.nan))
    assert found == [] and detector.judge(found).kind == "unknown"
    assert detector.match([]) == []


def test_a_verdict_is_by_the_detector_s_thresholds_and_of_no_empty_picture(detector) -> None:
    (found,) = detector.match([smooth(5)], 1)
    assert detector.judge(found).kind == "copied"
    assert detector.judge(found, blank="98% of it is one color").kind == "unknown"
    strict = detector.with_thresholds(CopyThresholds(1.5, 0.5, "given"))
    assert strict.judge(found).kind == "close" and strict.index is detector.index


def test_an_index_built_again_is_seen_at_once(tmp_path: Path, tiny_descriptor: Path) -> None:
    place, look = save_pictures(tmp_path / "corpus", 4), str(tiny_descriptor)
    first = resources.load_detector(str(place), look)
    assert resources.load_detector(str(place), look) is first
    corpus, network = corpora.load(save_pictures(place, 6)), descriptor(tiny_descriptor)
    list(build.build(corpus, network, folder(corpus, network)))  # as a job does, elsewhere
    again = resources.open_detector(str(place), look)
    assert (len(first.index), len(again.index), len(again.corpus)) == (4, 6, 6)
    assert again.match([smooth(5)], 1)[0][0].id == 5
