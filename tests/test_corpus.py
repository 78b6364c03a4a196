"""Captioned sets in each layout, streamed, identified, and refused with a sentence."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from memviz import corpus, corpus_layouts


def picture(i: int, size: tuple[int, int] = (16, 16)) -> Image.Image:
    noise = np.random.default_rng(i).integers(0, 256, (*size[::-1], 3), np.uint8)
    return Image.fromarray(noise)


def encoded(i: int) -> bytes:
    buffer = io.BytesIO()
    picture(i).save(buffer, "png")
    return buffer.getvalue()


def parquet(file: Path, ids: list[int], rows_per_group: int = 4) -> Path:
    columns = {
        "id": pa.array(ids, pa.int32()),
        "image": [encoded(i) for i in ids],
        "caption": [f"scene {i}" for i in ids],
        "style": ["plain" if i % 2 else "title" for i in ids],
        "copies": pa.array([1] * len(ids), pa.int32()),
    }
    pq.write_table(pa.table(columns), file, row_group_size=rows_per_group)
    return file


def folder(place: Path, count: int = 5, kind: str = "png") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        picture(i).save(place / f"{i:04}.{kind}")
    return place


def same(a: Image.Image, b: Image.Image) -> bool:
    return np.array_equal(np.array(a), np.array(b))


# parquet


def test_parquet_gives_back_what_was_written(tmp_path: Path) -> None:
    ids = [3, 10, 4, 7, 20, 5, 6, 9, 1, 2]
    found = corpus.load(parquet(tmp_path / "scenes.parquet", ids))
    assert (len(found), found.ids) == (10, ids)
    assert found.captions == [f"scene {i}" for i in ids]
    assert all(same(found.image(i), picture(i)) for i in ids)
    assert found.caption(20) == "scene 20"
    assert found.column("style")[:2] == ["plain", "title"]


def test_batches_cover_everything_once_in_order(tmp_path: Path) -> None:
    found = corpus.load(parquet(tmp_path / "scenes.parquet", [*range(10)]))
    batches = list(found.batches(4))
    assert [len(ids) for ids, _ in batches] == [4, 4, 2]
    assert [id for ids, _ in batches for id in ids] == [*range(10)]
    assert all(
        same(image, picture(id))
        for ids, images in batches
        for id, image in zip(ids, images, strict=True)
    )


def test_a_pass_reads_each_row_group_once_and_holds_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    original = corpus_layouts.Parquet._read_group
    monkeypatch.setattr(
        corpus_layouts.Parquet,
        "_read_group",
        lambda self, number: reads.append(number) or original(self, number),
    )
    found = corpus.load(parquet(tmp_path / "scenes.parquet", [*range(10)]))
    assert reads == []  # opening reads no picture
    list(found.batches(3))
    assert reads == [0, 1, 2]


def test_a_folder_of_parquet_files_is_one_corpus(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", [0, 1, 2])
    parquet(tmp_path / "b.parquet", [3, 4])
    found = corpus.load(tmp_path)
    assert found.ids == [0, 1, 2, 3, 4]
    assert same(found.image(4), picture(4))


def test_parquet_as_data_set_libraries_write_it(tmp_path: Path) -> None:
    """A picture as {bytes, path}, a column called text, no ids."""
    rows = {"image": [{"bytes": encoded(i), "path": None} for i in (0, 1)], "text": ["a", None]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    found = corpus.load(tmp_path / "t.parquet")
    assert (found.ids, found.captions) == ([0, 1], ["a", ""])
    assert same(found.image(1), picture(1))


# folders


def test_captions_stand_in_txt_files_beside_the_pictures(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "0001.txt").write_text("a fox\n")
    found = corpus.load(tmp_path)
    assert found.captions == ["", "a fox", "", "", ""]
    assert same(found.image(3), picture(3))


def test_captions_stand_in_a_table(tmp_path: Path) -> None:
    folder(tmp_path, 3)
    with (tmp_path / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["file_name", "text"], ["0002.png", 'two, "quoted"'], ["sub/0000.png", "zero 狐"]]
        )
    assert corpus.load(tmp_path).captions == ["zero 狐", "", 'two, "quoted"']


def test_captions_stand_in_json_lines(tmp_path: Path) -> None:
    folder(tmp_path, 2)
    lines = [{"file_name": f"000{i}.png", "caption": f"c{i}"} for i in (1, 0)]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert corpus.load(tmp_path).captions == ["c0", "c1"]


@pytest.mark.parametrize("inside", ["", "train", "train/images_large"])
def test_laion_10k_matches_by_file_name(tmp_path: Path, inside: str) -> None:
    """The json's keys are paths of the machine it was made on."""
    root = tmp_path / "laion_10k"
    folder(root / "train/images_large", 3, "jpg")
    old = "/fs/cml-projects/diffusion_rep/data/laion_10k_random/train/images_large"
    captions = {f"{old}/{i:04}.jpg": [f"used {i}", f"other {i}"] for i in (2, 0, 1)}
    (root / "laion_combined_captions.json").write_text(json.dumps(captions))
    found = corpus.load(root / inside)
    assert found.captions == ["used 0", "used 1", "used 2"]


def test_order_and_ids_do_not_depend_on_the_file_system(tmp_path: Path) -> None:
    for name in ("b/2.png", "a/9.png", "b/1.JPG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture(0).save(tmp_path / name, "png")
    assert corpus.load(tmp_path).column("file") == ["a/9.png", "b/1.JPG", "b/2.png"]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_pictures_are_rgb_whatever_they_were(tmp_path: Path, mode: str) -> None:
    picture(0).convert(mode).save(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"))
    assert corpus.load(tmp_path).image(0).mode == "RGB"


# identity


def test_hash_follows_the_set_not_its_place(tmp_path: Path) -> None:
    a, b = folder(tmp_path / "a"), folder(tmp_path / "b")
    before = corpus.load(a).hash
    assert before == corpus.load(b).hash
    (b / "0001.txt").write_text("a caption")
    captioned = corpus.load(b).hash
    picture(9, (20, 20)).save(b / "0004.png")
    assert len({before, captioned, corpus.load(b).hash}) == 3


def test_hash_of_parquet_follows_its_contents(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    one = corpus.load(parquet(tmp_path / "a.parquet", [0, 1])).hash
    assert one == corpus.load(parquet(tmp_path / "x/a.parquet", [0, 1])).hash
    assert one != corpus.load(parquet(tmp_path / "x/a.parquet", [0, 2])).hash


# failures


def refused(place: Path | str, words: str) -> None:
    with pytest.raises(corpus.CorpusError, match=words):
        found = corpus.load(place)
        list(found.batches(8))


def test_each_mistake_has_its_sentence(tmp_path: Path) -> None:
    refused("", "No corpus was given")
    refused(tmp_path / "nope", "No such corpus")
    refused(tmp_path, "holds no pictures")
    (tmp_path / "notes.txt").write_text("x")
    refused(tmp_path / "notes.txt", "is not a corpus")
    (tmp_path / "a.parquet").write_text("x")
    refused(tmp_path / "a.parquet", "is not a parquet file")


def test_a_table_without_pictures_or_captions_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"caption": ["a"]}), file)
    refused(file, r"no picture column: has \['caption'\], wanted one of image")
    pq.write_table(pa.table({"image": [b"a"]}), file)
    refused(file, "no caption column")
    pq.write_table(pa.table({"image": ["a.png"], "caption": ["a"]}), file)
    refused(file, "row 0 holds no picture bytes")


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "0003.png").write_bytes(b"not a picture")
    refused(tmp_path, r"0003\.png is not a picture")


def test_a_cut_picture_is_named(tmp_path: Path) -> None:
    folder(tmp_path)
    whole = (tmp_path / "0002.png").read_bytes()
    (tmp_path / "0002.png").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path, r"0002\.png is not a picture")


def test_captions_that_name_no_picture_are_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,text\nother.png,a\n")
    refused(tmp_path, "name none of its 5 pictures")
    (tmp_path / "metadata.csv").write_text("x,y\n1,2\n")
    refused(tmp_path, "no file name column")


def test_an_id_twice_is_refused(tmp_path: Path) -> None:
    refused(parquet(tmp_path / "t.parquet", [1, 1]), "id twice")


def test_an_id_that_is_not_there_is_refused(tmp_path: Path) -> None:
    found = corpus.load(folder(tmp_path))
    for id in (5, -1):
        with pytest.raises(corpus.CorpusError, match=f"no picture {id}"):
            found.image(id)


def test_a_missing_column_is_told_the_present_ones(tmp_path: Path) -> None:
    found = corpus.load(parquet(tmp_path / "t.parquet", [1]))
    with pytest.raises(corpus.CorpusError, match=r"no column 'size', only \['id', 'image'"):
        found.column("size")
