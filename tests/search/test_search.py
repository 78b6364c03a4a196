"""Looking pictures up: verdicts, blanks, marks, DCR's figures, and the folder that is left."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from memviz.cli import main
from memviz.data import caption_overlap
from memviz.data import corpus as corpora
from memviz.retrieval.blank_images import blank
from memviz.retrieval.copy_detector import CopyDetector
from memviz.retrieval.dcr_statistics import statistics
from memviz.retrieval.descriptors.descriptor import descriptor
from memviz.retrieval.index.index import Index
from memviz.search import SearchRequest, duplicates, report, search
from memviz.search.thresholds import marks
from memviz.ui.neighbours.view import view
from tests.support.samples import preset, smooth, unit

DCR = ("sim_mean", "sim_std", "sim_75pc", "sim_90pc", "sim_95pc", "sim_gt_05pc")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(30):
        smooth(i).save(folder / f"{i:03}.png")
        (folder / f"{i:03}.txt").write_text(f"a red fox number {i} <b>")
    return folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder as DCR's script leaves it: two copies, a new one, a blank and a broken one."""
    folder = tmp_path / "run/generations"
    folder.mkdir(parents=True)
    smooth(3).save(folder / "0.png")
    smooth(3).save(folder / "1.png")
    smooth(77).save(folder / "2.png")
    Image.new("RGB", (64, 64), "white").save(folder / "10.png")
    (folder / "11.png").write_bytes(b"")
    prompts = ["fox number 3 <script>", "fox number 3 <script>", "a new one", "nothing", "x"]
    (tmp_path / "run/prompts.txt").write_text("\n".join(prompts))
    return tmp_path / "run"


def printed(capsys: pytest.CaptureFixture, *words: object) -> dict:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_picture_of_the_corpus_finds_itself(corpus: Path, tiny_descriptor: Path, capsys) -> None:
    options = ("--corpus", corpus, "--preset", tiny_descriptor, "--top", 3)
    told = printed(capsys, "search", corpus / "007.png", *options)
    (one,) = told["pairs"]
    assert one["matches"][0]["id"] == 7
    assert one["matches"][0]["similarity"] == pytest.approx(1, abs=1e-3)
    fields = {"id", "path", "caption", "similarity", "background", "times"}
    assert set(one["matches"][0]) == fields
    assert (one["verdict"], len(one["matches"])) == ("Copied", 3)
    about = told["provenance"]
    assert (about["corpus"]["images"], about["descriptor"]["preset"]) == (30, "demo")


def test_all_images_above_the_threshold_are_listed_when_asked_for(
    corpus: Path, tiny_descriptor: Path, capsys
) -> None:
    detector = detector_of(corpus, tiny_descriptor)
    every = np.sort(detector.index.vectors @ detector.index.vectors[7])[::-1]
    middle = round(float(every[10]) - 1e-4, 4)
    options = ("--corpus", corpus, "--preset", tiny_descriptor, "--threshold", middle, "--top", 3)
    (few,) = printed(capsys, "search", corpus / "007.png", *options)["pairs"]
    (one,) = printed(capsys, "search", corpus / "007.png", *options, "--all-above")["pairs"]
    found = [match["similarity"] for match in one["matches"]]
    assert found == pytest.approx(every[every >= middle].tolist(), abs=2e-3)
    assert one["copies"] == len(found) > few["copies"] == 3
    assert few["matches"] == one["matches"][:3]


def test_a_folder_leaves_a_report(
    corpus: Path, made: Path, tiny_descriptor: Path, tmp_path, capsys
):
    options = ("--corpus", corpus, "--preset", tiny_descriptor, "--out", tmp_path / "out")
    told = printed(capsys, "search", made, *options)
    assert (told["pictures"], told["too_empty"], len(told["unreadable"])) == (5, 1, 1)
    pairs = {Path(p["picture"]).name: p for p in told["pairs"]}
    assert (pairs["0.png"]["verdict"], pairs["0.png"]["seeds_agree"]) == ("Copied", [2, 2])
    assert pairs["0.png"]["shared"] == ["fox", "number", "3"]
    assert pairs["10.png"]["verdict"] == "Too empty to judge"
    rows = pq.read_table(tmp_path / "out/matches.parquet").to_pylist()
    assert len({row["number"] for row in rows}) == 5
    page = (tmp_path / "out/report.html").read_text()
    assert "http" not in page.replace("http-equiv", "") and page.count("data:image/jpeg") == 8
    assert "<script>" not in page and "&lt;script&gt;" in page and "<mark>fox</mark>" in page
    assert "Copied" in page and "11.png" in page
    for one in told["pairs"]:
        assert (tmp_path / "out" / one["yours"]).is_file()
        assert (tmp_path / "out" / one["theirs"]).is_file()
    assert main(["search", str(made), *map(str, options)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_mistakes_are_one_sentence(corpus: Path, tiny_descriptor: Path, tmp_path, capsys) -> None:
    usual = {"pictures": corpus / "001.png", "--corpus": corpus, "--preset": tiny_descriptor}
    for change, said in (
        ({"pictures": tmp_path / "none.png"}, "No such picture"),
        ({"--corpus": tmp_path / "none"}, "No such corpus"),
        ({"--threshold": "2"}, "Give preset, background, or a number"),
        ({"--top": "0"}, "1 match or more"),
        ({"--index": tmp_path}, r"not an index"),
    ):
        asked = usual | change
        words = [asked.pop("pictures"), *(w for pair in asked.items() for w in pair)]
        assert main(["search", *map(str, words)]) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]


# figures


def test_statistics_are_those_of_dcr_on_the_same_descriptors() -> None:
    """Written out as METHODS.md 4.1 has them, on the whole matrix."""
    rng = np.random.default_rng(0)
    made, train = (rng.normal(size=(n, 8)) for n in (40, 70))
    made, train = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (made, train))
    top = (train @ made.T).max(0)
    within = np.sort(train @ train.T, axis=1)[:, -2]
    found = statistics(top, within)
    direct = [np.mean(top), np.std(top), *(np.percentile(top, p) for p in (75, 90, 95))]
    assert np.allclose([found[name] for name in DCR], [*direct, np.sum(top > 0.5) / 40])
    assert found["bg_90pc"] == pytest.approx(np.percentile(within, 90))
    assert found["bg_std"] == pytest.approx(np.std(within))


def test_exactly_a_half_is_not_above_it_and_what_is_unread_does_not_count() -> None:
    assert statistics(np.array([0.5, 0.6, np.nan]), np.zeros(0))["sim_gt_05pc"] == 0.5


def test_marks_come_from_the_preset_the_background_or_a_convention() -> None:
    null = np.random.default_rng(0).beta(4, 6, 4000)
    assert marks("preset", preset(), null, 0.95).used.copied == 0.8
    own = marks("background", preset(), null, 0.95)
    assert own.used.copied == own.own.value > own.used.close
    for mark in (own.used.copied, own.used.close):
        assert f"less alike than {mark:.2f}" in own.used.source, "each mark with its own share"
    assert "SSCD" in marks("0.75", preset(), null, 0.95).used.source
    assert marks("0.5", preset(), np.zeros(0), 0.95).own is None
    with pytest.raises(ValueError, match="too few distinct"):
        marks("background", preset(), np.zeros(0), 0.95)


# blanks


def drawn(text: str) -> Image.Image:
    image = Image.new("RGB", (256, 256), "white")
    ImageDraw.Draw(image).text((20, 60), text * 3, fill="black", font_size=44)
    return image


def test_empty_pictures_are_told_from_drawn_ones() -> None:
    gradient = Image.linear_gradient("L").resize((64, 64)).point(lambda v: 120 + v // 32)
    noise = np.random.default_rng(0).integers(125, 131, (64, 64, 3), np.uint8)
    for empty in (Image.new("RGB", (9, 9), "red"), gradient, Image.fromarray(noise), drawn("")):
        assert blank(empty)
    for full in (smooth(0), drawn("Copy me if\nyou can\n"), Image.linear_gradient("L")):
        assert not blank(full)


# captions


def test_shared_words_are_those_that_say_something() -> None:
    assert caption_overlap.shared("A Fox on the hill", "the fox, of a Hill") == ["fox", "hill"]
    assert caption_overlap.overlap("a fox on a hill", "fox and owl") == pytest.approx(1 / 3)
    assert caption_overlap.overlap("", "fox") is None
    assert report.marked("A Fox & <b>", ["fox"]) == "A <mark>Fox</mark> &amp; &lt;b&gt;"


def test_the_best_texts_have_all_words_or_as_many_as_any() -> None:
    texts = ["a fox", "an owl", "a red fox on a hill"]
    assert caption_overlap.best(texts, "the red fox", 5) == [2]
    assert caption_overlap.best(texts, "the blue fox", 5) == [0, 2]
    assert caption_overlap.best(texts, "nothing here", 5) == []
    with pytest.raises(ValueError, match="Type a few words"):
        caption_overlap.best(texts, "the", 5)


# within the corpus


def detector_of(folder: Path, look: Path) -> CopyDetector:
    found, loaded = corpora.load(folder), descriptor(look)
    return CopyDetector(found, loaded, Index.build(found, loaded))


def test_pictures_of_the_corpus_are_compared_with_the_others(
    corpus: Path, tiny_descriptor: Path, tmp_path: Path
) -> None:
    detector = detector_of(corpus, tiny_descriptor)
    asked = SearchRequest(detector, detector.corpus.some([7, 3]))
    assert list(search(asked, tmp_path))[-1] == (2, 2)
    told = json.loads((tmp_path / "summary.json").read_text())
    for pair in told["pairs"]:
        assert pair["number"] not in [m["id"] for m in pair["matches"]]
        null = detector.index.background[pair["number"]]
        assert pair["similarity"] == pytest.approx(null, abs=1e-3)
        assert all((tmp_path / m["picture"]).is_file() for m in pair["matches"])


def test_duplicates_are_told_in_groups_with_their_captions(
    tmp_path: Path, tiny_descriptor: Path
) -> None:
    place = tmp_path / "corpus"
    place.mkdir()
    for i in range(6):
        smooth(i % 3).save(place / f"{i}.png")
        (place / f"{i}.txt").write_text(f"scene {i % 3}")
    detector = detector_of(place, tiny_descriptor)
    detector.index.stored = unit(3, 64)[[0, 1, 2, 0, 1, 2]]
    duplicates.report(detector, tmp_path / "none", tmp_path / "out")
    told = json.loads((tmp_path / "out/summary.json").read_text())
    assert (told["groups"], told["images"]) == (3, 6)
    assert [m["caption"] for m in told["shown"][1]["members"]] == ["scene 1", "scene 1"]
    assert (tmp_path / "out" / told["shown"][0]["members"][1]["picture"]).is_file()


def test_a_picture_that_the_table_counts_is_a_duplicate_of_itself(
    tmp_path: Path, tiny_descriptor: Path
) -> None:
    place = tmp_path / "corpus.parquet"
    data = [(smooth(i), 312 if i == 2 else 1) for i in range(4)]
    images = [io.BytesIO() for _ in data]
    for (image, _), file in zip(data, images, strict=True):
        image.save(file, "png")
    columns = {"image": [file.getvalue() for file in images], "copies": [n for _, n in data]}
    pq.write_table(pa.table(columns | {"caption": list("abcd")}), place)
    detector = detector_of(place, tiny_descriptor)
    detector.index.stored = unit(4, 64)
    duplicates.report(detector, tmp_path / "none", tmp_path / "out")
    told = json.loads((tmp_path / "out/summary.json").read_text())
    assert (told["groups"], told["images"], told["times"]) == (1, 1, 312)
    assert told["shown"][0]["members"][0]["times"] == told["shown"][0]["count"] == 312
    assert "shows 312 times" in view(tmp_path / "out")["headline"]
    (matches,) = detector.match_vectors(detector.index.vectors[2:3], 2)
    assert [match.times for match in matches] == [312, 1]
