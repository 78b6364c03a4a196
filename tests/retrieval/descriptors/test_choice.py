"""A descriptor judges the pictures it was made for; elsewhere it is refused or gives none."""

from pathlib import Path

import pytest

from memviz import resources
from memviz.cli import main
from memviz.data import corpus as corpora
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.descriptors import weights
from memviz.retrieval.descriptors.choice import choose_descriptor, describe_misfit
from memviz.retrieval.descriptors.descriptor import descriptor
from memviz.retrieval.descriptors.presets import PRESETS, DescriptorError, find
from memviz.retrieval.index.index import Index
from memviz.search import SearchRequest, search
from tests.support.samples import smooth


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(12):
        smooth(i).save(folder / f"{i:03}.png")
        (folder / f"{i:03}.txt").write_text(f"photo {i}")
    return folder


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_demos_descriptor_judges_the_demos_corpus_alone(photos, empty_home):
    demo, own = corpora.load("demo-10k"), corpora.load(photos)
    assert choose_descriptor("auto", demo) == choose_descriptor("demo", demo) == find("demo")
    assert describe_misfit(find("demo"), demo.some(demo.ids[:3])) == ""
    for name in ("demo", "auto"):
        with pytest.raises(DescriptorError, match=r"made for .* not for photos\. Fetch SSCD"):
            choose_descriptor(name, own)
    assert choose_descriptor("demo:forced", own) == find("demo")
    assert choose_descriptor("sscd_disc_mixup", own) == PRESETS["sscd_disc_mixup"]


def test_a_fetched_descriptor_is_taken_where_the_demos_does_not_suit(photos, empty_home):
    preset = PRESETS["sscd_disc_large"]
    file = weights.place(preset)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"only its place matters here")
    assert choose_descriptor("auto", corpora.load(photos)) == preset
    assert choose_descriptor("auto", corpora.load("demo-10k")) == find("demo")


def test_nothing_is_indexed_before_a_descriptor_is_refused(photos, empty_home, capsys):
    with pytest.raises(DescriptorError, match="demo:forced"):
        resources.load_detector(str(photos), "demo")
    assert not (empty_home / "indexes").exists()
    picture = str(photos / "003.png")
    assert main(["search", picture, "--corpus", str(photos)]) == 2
    assert main(["index", str(photos)]) == 2
    assert capsys.readouterr().err.count("Fetch SSCD") == 2


def test_a_forced_descriptor_gives_similarities_and_no_verdict(photos, tmp_path):
    own, network = corpora.load(photos), descriptor("demo")
    detector = CopyDetector(own, network, Index.build(own, network))
    (matches,) = detector.match([smooth(3)], 2)
    said = detector.judge(matches)
    assert matches[0].similarity > 0.99
    assert (said.word, said.kind) == ("Not judged", "unknown")
    assert (
        "the demo's 64-pixel scenes, not for photos" in said.reason
        and "1 in 100" not in said.reason
    )
    list(search(SearchRequest(detector, own), tmp_path / "out"))
    report = (tmp_path / "out/report.html").read_text()
    assert "Copied:" not in report and "12 not judged" in report
    assert report.count("not for photos") >= 14  # under the title, beside each pair, in the facts
