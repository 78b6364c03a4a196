"""`index`, `fetch` and the LAION-10k script as a user calls them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from memviz.cli import main
from memviz.data import corpus
from memviz.io import user_config
from memviz.retrieval import index_store
from memviz.retrieval.descriptors.descriptor import descriptor
from memviz.retrieval.index.index import Index
from tests.support.processes import until
from tests.support.samples import smooth

ROOT = Path(__file__).parents[2]


def laion(place: Path, count: int = 6) -> Path:
    """The layout of DCR's download."""
    images = place / "train/images_large"
    images.mkdir(parents=True)
    old = "/fs/cml-projects/diffusion_rep/data/laion_10k_random/train/images_large"
    for i in range(count):
        smooth(i, (64, 48)).save(images / f"{i:04}.jpg")
    captions = {f"{old}/{i:04}.jpg": [f"caption {i}", f"other {i}"] for i in range(count)}
    (place / "laion_combined_captions.json").write_text(json.dumps(captions))
    return place


def printed(capsys: pytest.CaptureFixture, *words: object) -> dict:
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_index_makes_a_corpus_searchable_where_it_is_looked_for(
    tmp_path: Path, tiny_descriptor: Path, capsys, home: Path
) -> None:
    place = laion(tmp_path / "laion_10k")
    (place / "train/images_large/0002.jpg").write_bytes(b"cut")
    told = printed(capsys, "index", place, "--preset", tiny_descriptor)
    assert (told["images"], told["embedded"], told["corpus"]) == (5, 5, "laion_10k")
    assert [row["id"] for row in told["problems"]] == [2]
    found, look = corpus.load(place), descriptor(tiny_descriptor)
    assert Path(told["folder"]) == index_store.folder(found, look).resolve()
    assert len(Index.load(told["folder"], found, look)) == 5
    again = printed(capsys, "index", place, "--preset", tiny_descriptor)
    assert (again["embedded"], again["reused"]) == (0, 5)


def test_index_names_the_largest_groups_of_duplicates(
    tmp_path: Path, tiny_descriptor: Path, capsys
) -> None:
    """All pictures are alike to a descriptor that was never trained."""
    place = laion(tmp_path / "laion_10k")
    assert main(["index", str(place), "--preset", str(tiny_descriptor)]) == 0
    assert "the largest:\n  6 times: caption 0\n" in capsys.readouterr().out


def test_mistakes_are_one_sentence(tmp_path: Path, tiny_descriptor: Path, capsys) -> None:
    place = laion(tmp_path / "laion_10k")
    for words, said in {
        ("index", tmp_path / "none"): "No such corpus",
        ("index", "demo-10k"): "comes with memviz",
        ("index", place, "--preset", "nope"): "none of demo",
        ("index", place, "--preset", "sscd_disc_large"): "python -m memviz fetch sscd_disc_large",
        ("index", place, "--preset", tiny_descriptor, "--out", place): "holds something else",
        ("index", place, "--batch", "0"): "give 1 or more",
        ("fetch", "demo"): "needs no file",
        ("fetch", "sscd_disc_mixup", "--from", tmp_path / "none"): "No such file",
    }.items():
        assert main([*map(str, words)]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert said in error
    (place / "laion_combined_captions.json").write_text("{")
    assert main(["index", str(place)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_laion_10k_is_checked_and_registered(tmp_path: Path, home: Path) -> None:
    place = laion(tmp_path / "laion_10k")
    (place / "train/images_large/0003.jpg").write_bytes(b"")
    before = sorted((p, p.stat().st_mtime_ns) for p in place.rglob("*"))
    command = [sys.executable, ROOT / "scripts/prepare_laion10k.py", place, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert (told["pictures"], told["captioned"], told["further_captions"]) == (6, 6, 6)
    assert [Path(row["place"]).name for row in told["unreadable"]] == ["0003.jpg"]
    assert told["bytes"] == sum(p.stat().st_size for p in place.rglob("*.jpg"))
    assert corpus.load("laion-10k").captions[5] == "caption 5"
    assert sorted((p, p.stat().st_mtime_ns) for p in place.rglob("*")) == before
    user_config.file().unlink()
    done = subprocess.run([*command[:2], tmp_path / "none"], capture_output=True, text=True)
    assert (done.returncode, "No such folder" in done.stderr) == (2, True)


@pytest.mark.slow
def test_ten_thousand_pictures_become_searchable_though_killed_in_the_middle(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """A folder in LAION-10k's shape, one command, kill -9 halfway, the same command again."""
    place, out = laion(tmp_path / "laion_10k", 10_000), tmp_path / "index"
    words = ["index", str(place), "--preset", "demo:forced", "--out", str(out), "--json"]
    process = subprocess.Popen([sys.executable, "-m", "memviz", *words], cwd=ROOT)
    parts = tmp_path / "index.building"
    until(lambda: process.poll() is not None or len([*parts.glob("*.parquet")]) >= 20, 300)  # of 40
    assert process.poll() is None, "it was over before it could be killed"
    process.kill()
    process.wait()
    assert not out.exists()
    told = printed(capsys, *words[:-1])
    assert told["images"] == 10_000
    assert told["embedded"] <= 10_000 - 20 * 256
    found, look = corpus.load(place), descriptor("demo")
    index = Index.load(out, found, look)
    chosen = [*range(0, 10_000, 997)]
    similarity, ids = index.search(look.embed([found.image(id) for id in chosen]), 1)
    assert ids[:, 0].tolist() == chosen
    assert similarity.round(3).min() >= 0.999
    with capsys.disabled():
        print(f"\n{told['embedded']:,} of 10,000 after the kill, {told['rate']:.0f} a second")
