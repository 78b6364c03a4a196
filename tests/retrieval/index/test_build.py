"""Building an index: in parts, killed and resumed, grown, spread, broken pictures and all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from memviz.data import corpus
from memviz.retrieval.descriptors.descriptor import Descriptor, descriptor
from memviz.retrieval.index import build as index_build
from memviz.retrieval.index import parts
from memviz.retrieval.index.assemble import compare_within
from memviz.retrieval.index.index import Index, IndexMismatch, Manifest
from memviz.retrieval.index.items import Items
from tests.support.samples import preset, smooth, unit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Forty pictures with captions."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(40):
        smooth(i, (32, 24)).save(folder / f"{i:03}.png")
        (folder / f"{i:03}.txt").write_text(f"picture {i}")
    return folder


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (parts, index_build):
        monkeypatch.setattr(module, "ROWS", 8)


class Counting(Descriptor):
    """Counts the pictures it embeds."""

    def embed_prepared(self, pixels):
        SEEN.extend(pixels)
        return super().embed_prepared(pixels)


SEEN: list = []


@pytest.fixture
def look(tiny_descriptor: Path) -> Descriptor:
    SEEN.clear()
    loaded = descriptor(tiny_descriptor)
    return Counting(loaded.preset, loaded.network, loaded.hash)


def build(
    place: Path, look: Descriptor, out: Path, **options: object
) -> list[index_build.Progress]:
    return list(index_build.build(corpus.load(place), look, out, **options))


def test_a_built_index_equals_one_made_in_memory(pictures: Path, look, tmp_path: Path) -> None:
    told = build(pictures, look, tmp_path / "index")
    assert [p.done for p in told] == [8, 16, 24, 32, 40]
    found, made = corpus.load(pictures), Index.load(tmp_path / "index", corpus.load(pictures), look)
    direct = Index.build(found, look)
    assert np.allclose(made.vectors, direct.vectors, atol=1e-3)
    assert np.allclose(made.background, direct.background, atol=2e-3)
    assert made.ids.tolist() == found.ids
    similarity, ids = made.search(direct.vectors, 1)
    assert ids[:, 0].tolist() == found.ids
    assert np.allclose(similarity, 1, atol=5e-4)
    assert not (tmp_path / "index.building").exists()


def test_items_keep_captions_places_and_thumbnails(pictures: Path, look, tmp_path: Path) -> None:
    build(pictures, look, tmp_path / "index")
    items = Items(tmp_path / "index/items.parquet")
    assert items.columns("caption")["caption"].to_pylist()[7] == "picture 7"
    assert items.columns("place")["place"].to_pylist()[7].endswith("007.png")
    assert items.thumbnail(17)[:2] == b"\xff\xd8"  # a JPEG
    told = json.loads((tmp_path / "index/manifest.json").read_text())
    assert told["images"] == told["counts"]["readable"] == 40
    assert {"torch", "memviz"} <= set(told["versions"])


def test_bad_pictures_are_listed_and_shift_no_id(pictures: Path, look, tmp_path: Path) -> None:
    (pictures / "003.png").write_bytes(b"")
    (pictures / "010.png").write_bytes((pictures / "011.png").read_bytes()[:60])
    (pictures / "020.png").write_bytes(b"not a picture")
    build(pictures, look, tmp_path / "index")
    index = Index.load(tmp_path / "index")
    assert index.ids.tolist() == [i for i in range(40) if i not in (3, 10, 20)]
    problems = json.loads((tmp_path / "index/problems.json").read_text())
    assert {row["id"]: row["problem"].split(" ")[0] for row in problems}.keys() == {3, 10, 20}
    assert problems[0]["problem"] == "it is empty (0 bytes)"
    found = corpus.load(pictures)
    assert index.search(look.embed([found.image(39)]), 1)[1].tolist() == [[39]]


def test_a_grown_corpus_is_embedded_only_where_new(pictures: Path, look, tmp_path: Path) -> None:
    build(pictures, look, tmp_path / "index")
    before = len(SEEN)
    smooth(99, (32, 24)).save(pictures / "000a.png")  # in the middle: every later id moves
    told = build(pictures, look, tmp_path / "index")
    assert (before, len(SEEN)) == (40, 41)
    assert (told[-1].embedded, told[-1].reused) == (1, 40)
    fresh = Index.build(corpus.load(pictures), look)
    grown = Index.load(tmp_path / "index", corpus.load(pictures), look)
    assert np.allclose(grown.vectors, fresh.vectors, atol=2e-3)


def test_a_corpus_that_changed_is_refused_and_the_old_index_stays(
    pictures: Path, look, tmp_path: Path
) -> None:
    build(pictures, look, tmp_path / "index")
    smooth(99).save(pictures / "new.png")
    with pytest.raises(IndexMismatch, match="another corpus"):
        Index.load(tmp_path / "index", corpus.load(pictures))
    assert len(Index.load(tmp_path / "index")) == 40


def test_a_failed_build_leaves_the_old_index_and_its_parts(
    pictures: Path, look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(pictures, look, tmp_path / "index")
    smooth(99).save(pictures / "new.png")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(index_build, "assemble", full)
    with pytest.raises(OSError, match="No space left"):
        build(pictures, look, tmp_path / "index")
    assert len(Index.load(tmp_path / "index")) == 40


def test_another_folder_is_never_replaced(pictures: Path, look) -> None:
    with pytest.raises(IndexMismatch, match="holds something else"):
        build(pictures, look, pictures)


def test_other_weights_reuse_nothing(pictures: Path, look, tmp_path: Path) -> None:
    build(pictures, look, tmp_path / "index")
    other = Counting(preset(), look.network, "0" * 64)
    assert build(pictures, other, tmp_path / "index")[-1].reused == 0


BUILD = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from memviz.data import corpus
from memviz.retrieval.descriptors import descriptor
from memviz.retrieval.index import build, parts
parts.ROWS = build.ROWS = 8
look = descriptor.descriptor({look!r})
for p in build.build(corpus.load({place!r}), look, Path({out!r})):
    sys.stdout.write(f"{{p.done}} {{p.embedded}}\\n")  # one write: two processes share the pipe
    sys.stdout.flush()
    if {slow}: sys.stdin.readline()
"""


def script(place: Path, look: Path, out: Path, slow: bool = False) -> list[str]:
    text = BUILD.format(root=str(ROOT), place=str(place), look=str(look), out=str(out), slow=slow)
    return [sys.executable, "-c", text]


def test_a_killed_build_goes_on_where_it_was(
    pictures: Path, tiny_descriptor: Path, look, tmp_path: Path
) -> None:
    out = tmp_path / "index"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(script(pictures, tiny_descriptor, out, slow=True), **pipes) as killed:
        for _ in range(2):
            killed.stdout.readline()
            killed.stdin.write(b"\n")
            killed.stdin.flush()
        killed.stdout.readline()
        os.kill(killed.pid, signal.SIGKILL)
    assert not out.exists()
    told = build(pictures, look, out)
    assert told[-1].embedded == len(SEEN) == 16  # 24 of 40 were done
    straight = tmp_path / "straight"
    build(pictures, look, straight)
    a, b = (np.load(folder / "vectors.npy") for folder in (out, straight))
    assert np.array_equal(a, b)


def test_accelerate_launch_spreads_the_work_with_the_same_result(
    pictures: Path, tiny_descriptor: Path, look, tmp_path: Path
) -> None:
    build(pictures, look, tmp_path / "one")
    file = tmp_path / "build.py"
    file.write_text(script(pictures, tiny_descriptor, tmp_path / "two")[-1])
    # --multi_gpu even without one: with --cpu, accelerate starts a single process
    words = "--multi_gpu --num_processes 2 --num_machines 1 --mixed_precision no"
    launch = [sys.executable, "-m", "accelerate.commands.launch", *words.split()]
    port = ["--main_process_port", "0", "--dynamo_backend", "no"]
    done = subprocess.run([*launch, *port, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # five parts of eight pictures: three for the first process, two for the second
    assert sorted(done.stdout.split("\n"))[1:] == ["16 16", "16 16", "24 24", "8 8", "8 8"]
    for name in ("vectors.npy", "ids.npy", "background.npy", "duplicates.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_look_alikes_in_a_row_make_no_chain_and_raise_the_level(tmp_path: Path) -> None:
    """Pictures of which each is like the next one, as crops of photographs are, and one pair."""
    chain = np.cumsum(unit(2_000, 64) * 0.2, axis=0)  # a walk: near to the next, far in the end
    vectors = chain / np.linalg.norm(chain, axis=1, keepdims=True)
    vectors[1_999] = vectors[5]
    index = Index(Manifest("demo", 64, "d", "c", "h", 2_000), vectors, np.arange(2_000))
    _, level = compare_within(index, tmp_path, 0.9)
    groups = json.loads((tmp_path / "duplicates.json").read_text())
    assert level > 0.99 and [5, 1_999] in groups
    found = [vectors[group] @ vectors[group].T for group in groups]
    assert min(similarity.min() for similarity in found) >= level - 1e-5


def test_duplicates_are_found_in_groups(tmp_path: Path) -> None:
    vectors = unit(30, 64)
    vectors[[11, 29]] = vectors[4]
    vectors[20] = vectors[7] * 0.999
    ids = np.arange(30) + 100
    index = Index(Manifest("demo", 64, "d", "c", "h", 30), vectors, ids)
    counts, level = compare_within(index, tmp_path, 0.95)
    groups = json.loads((tmp_path / "duplicates.json").read_text())
    assert groups == [[104, 111, 129], [107, 120]]
    assert (counts, level) == ({"duplicate_groups": 2, "duplicated_images": 5}, 0.95)
    nearest = np.load(tmp_path / "nearest.npy")
    assert (nearest[20], nearest[7]) == (107, 120)
