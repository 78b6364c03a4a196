"""Captioned sets in each layout, streamed, identified, and refused with a sentence."""

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from memviz.data import corpus
from memviz.data.formats.parquet import Parquet
from memviz.io import user_config


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
    original = Parquet._read_group
    monkeypatch.setattr(
        Parquet,
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


def test_laion_10k_keeps_the_captions_that_are_not_used(tmp_path: Path) -> None:
    folder(tmp_path / "train/images_large", 2, "jpg")
    texts = {"/old/0000.jpg": ["used", "other", "third"], "0001.jpg": "only"}
    (tmp_path / "laion_combined_captions.json").write_text(json.dumps(texts))
    found = corpus.load(tmp_path)
    assert found.captions == ["used", "only"]
    assert [found.other_captions(i) for i in (0, 1)] == [["other", "third"], []]


def test_a_table_may_name_files_of_one_name_in_two_folders(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder(tmp_path / name, 1)
    (tmp_path / "metadata.csv").write_text("file_name,text\na/0000.png,A\nb/0000.png,B\n")
    assert corpus.load(tmp_path).captions == ["A", "B"]


@pytest.mark.parametrize("inside", ["", "generations"])
def test_generations_of_dcr_take_their_prompts_as_people_count(tmp_path: Path, inside: str) -> None:
    (tmp_path / "generations").mkdir()
    for i in range(12):
        picture(i).save(tmp_path / f"generations/{i}.png")
    (tmp_path / "prompts.txt").write_text("\n".join(f"prompt {i}" for i in range(12)))
    found = corpus.load(tmp_path / inside)
    names = dict(zip(found.column("file"), found.captions, strict=True))
    assert names[str(Path("generations" if not inside else "") / "10.png")] == "prompt 10"
    (tmp_path / "prompts.txt").write_text("\n".join(f"prompt {i}" for i in range(4)))
    found = corpus.load(tmp_path / inside)
    names = dict(zip(found.column("file"), found.captions, strict=True))
    assert names[str(Path("generations" if not inside else "") / "11.png")] == "prompt 3"
    (tmp_path / "prompts.txt").write_text("one\ntwo\nthree\nfour\nfive")
    refused(tmp_path / inside, "has 5 lines for 12 pictures")


def test_hidden_files_are_not_part_of_the_set(tmp_path: Path) -> None:
    folder(tmp_path, 2)
    folder(tmp_path / ".thumbnails", 2)
    picture(0).save(tmp_path / "._0000.png")
    assert len(corpus.load(tmp_path)) == 2


# tar shards and lists


def shard(file: Path, samples: dict[str, dict[str, bytes]]) -> Path:
    with tarfile.open(file, "w") as tar:
        for key, parts in samples.items():
            for kind, data in parts.items():
                info = tarfile.TarInfo(f"{key}.{kind}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return file


def test_tar_shards_are_read_as_img2dataset_writes_them(tmp_path: Path) -> None:
    stated = json.dumps({"caption": "from json", "url": "x"}).encode()
    one = {"png": encoded(1), "txt": b"from text\n", "json": stated}
    shard(tmp_path / "00000.tar", {"000000001": one, "000000007": {"png": encoded(7)}})
    shard(tmp_path / "00001.tar", {"000010002": {"png": encoded(2), "json": stated}})
    pq.write_table(pa.table({"url": ["x"], "caption": ["y"]}), tmp_path / "00000.parquet")
    found = corpus.load(tmp_path)
    assert (found.ids, found.captions) == ([0, 1, 2], ["from text", "", "from json"])
    assert all(same(found.image(row), picture(i)) for row, i in enumerate((1, 7, 2)))
    assert found.column("file")[2] == "00001.tar/000010002"
    (tmp_path / "00001.tar").write_bytes(b"cut")
    refused(tmp_path, "not a tar shard")


def test_a_list_of_urls_knows_which_pictures_are_here(tmp_path: Path) -> None:
    lines = [
        {"caption": f"c{i}", "index": i, "url": f"https://x.org/{i}.jpg?w=1"} for i in range(4)
    ]
    lines[3]["url"] = "https://x.org/named.png"
    file = tmp_path / "sdv1_500_memorized.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    refused(file, "None of the 4 pictures")
    (tmp_path / "gt_images/2").mkdir(parents=True)
    picture(2).save(tmp_path / "gt_images/2/0.png")
    picture(3).save(tmp_path / "named.png")
    picture(0).save(tmp_path / "0000.png")
    found = corpus.load(file)
    assert (found.ids, found.captions[2], found._rows.present) == ([0, 1, 2, 3], "c2", 3)
    assert all(same(found.image(i), picture(i)) for i in (0, 2, 3))
    with pytest.raises(corpus.CorpusError, match=r"not on this machine: https://x\.org/1\.jpg"):
        found.image(1)


# pictures as people see them


def test_an_upside_down_photo_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # half a turn
    picture(1).save(tmp_path / "a.png", exif=exif)
    found = corpus.load(tmp_path).image(0)
    assert same(found, picture(1).rotate(180))


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    grey = np.arange(0, 2**16, 256, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    found = np.array(corpus.load(tmp_path).image(0))
    assert np.array_equal(found[..., 0].ravel(), np.arange(256))


def test_an_animation_is_its_first_frame(tmp_path: Path) -> None:
    frames = [picture(i).quantize() for i in (0, 1)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert same(corpus.load(tmp_path).image(0), frames[0].convert("RGB"))


def test_a_plain_picture_is_copied_as_it_is_stored(tmp_path: Path) -> None:
    for number, kind in enumerate(("jpg", "png", "webp")):
        picture(number).save(tmp_path / f"{number}.{kind}")
    found = corpus.load(tmp_path)
    for id, kind in zip(found.ids, ("jpg", "png", "webp"), strict=True):
        copied = found.copy(id, tmp_path / "copy")
        assert copied == tmp_path / f"copy.{kind}" and copied.read_bytes() == found.encoded(id)


def test_a_picture_that_others_would_show_otherwise_is_copied_as_it_is_seen(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0, (16, 8)).save(tmp_path / "0.jpg", exif=exif)
    picture(1).convert("CMYK").save(tmp_path / "1.jpg")
    picture(2).save(tmp_path / "2.webp", save_all=True, append_images=[picture(3)], lossless=True)
    picture(4).save(tmp_path / "3.png", icc_profile=b"colours of some camera")
    picture(5).save(tmp_path / "4.bmp")
    found = corpus.load(tmp_path)
    assert len(found) == 5
    for id in found.ids:
        copied = found.copy(id, tmp_path / f"copy{id}")
        assert copied.suffix == ".png" and same(Image.open(copied), found.image(id))
        assert not Image.open(copied).getexif()


def test_empty_and_huge_pictures_are_named(tmp_path: Path) -> None:
    folder(tmp_path, 2)
    (tmp_path / "0001.png").write_bytes(b"")
    refused(tmp_path, r"0001\.png is not a picture that can be read: it is empty")
    Image.new("1", (20_000, 6_000)).save(tmp_path / "0001.png")
    refused(tmp_path, "too large: 20000 x 6000 pixels")


# names


def test_a_registered_corpus_is_known_by_its_name(tmp_path: Path, home: Path) -> None:
    user_config.add("corpora", "mine", folder(tmp_path / "pictures", 3))
    assert (corpus.load("mine").name, len(corpus.load("mine"))) == ("mine", 3)
    assert set(corpus.known()) >= {"demo-10k", "mine"}
    user_config.add("models", "tuned", "a+b")
    assert user_config.names("corpora") == {"mine": str(tmp_path / "pictures")}
    user_config.file().unlink()
    assert user_config.names("models") == {}


def test_a_registry_is_never_written_over_unread(home: Path) -> None:
    user_config.file().write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        user_config.add("corpora", "mine", "x")
    assert user_config.names("corpora") == {}
    assert user_config.file().read_text() == "{"
    user_config.file().unlink()
    with pytest.raises(ValueError, match="is not a name"):
        user_config.add("corpora", "a/b", "x")


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
