"""A thousand damages to each format of file that memviz reads: a sentence each, and soon."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from memviz import jobs, upkeep
from memviz.data import corpus, prompts
from memviz.detection import reference_bands
from memviz.errors import MemvizError
from memviz.guidance import model_defaults
from memviz.io import atomic, images, user_config
from memviz.io.paths import demo
from memviz.runs import store
from tests.support import damage, samples, sandbox

MUTATIONS = 1_000  # of each format
RUN, OTHER = (f"20260102-03040{n}-0123456789abcdef" for n in range(2))


class Format:
    """How one is written to an empty folder, which is $MEMVIZ_HOME, and read from there."""

    def __init__(self, make: Callable[[Path], None], read: Callable[[Path], object]) -> None:
        self.make, self.read = make, read


def make_run(home: Path) -> None:
    source = min((demo() / "runs").iterdir())
    for name in (RUN, OTHER):
        (home / "runs" / name).mkdir(parents=True)
        told = json.loads((source / "run.json").read_text("utf-8"))
        atomic.json(home / "runs" / name / "run.json", told | {"id": name})
        shutil.copy(source / "trace.parquet", home / "runs" / name)


def read_run(home: Path) -> None:
    from memviz.ui.compare.view import view
    from memviz.ui.runs.view import make_view

    assert OTHER in [run.folder.name for run in store.listed()]
    make_view()
    [*upkeep.find_problems()]
    upkeep.list_entries()
    view(store.read(RUN))
    assert store.read(RUN).results is not None


def make_job(home: Path) -> None:
    about = {"kind": "train", "title": "x", "argv": ["true"], "device": "cpu", "resume": []}
    for name in (RUN, OTHER):
        folder = home / "jobs" / name
        folder.mkdir(parents=True)
        atomic.json(folder / "job.json", about | {"grace": 3.0, "cwd": None, "created": 1.0})
        gone = {"pid": 4_194_303, "started": 1.0, "ticks": 1, "boot": "x"}
        atomic.json(folder / "process.json", gone)
        atomic.json(folder / "worker.json", gone)
        atomic.json(folder / "checkpoint.json", {"step": 3, "time": 1.0})
        atomic.json(folder / "result.json", {"model": "/some/where"})
        atomic.json(folder / "outcome.json", {"state": "failed", "exit": 1, "ended": 1.0})
        rows = [
            {"time": 1.0, "event": "start", "steps": 10, "samples": 4, "pictures": 4, "members": 1,
             "mode": "plain", "resumed_at": 0},
            *({"time": 2.0 + n, "event": "step", "step": n, "round": 1, "member": 0, "loss": 0.5,
               "kept": 1.0, "lr": 0.1, "seconds": 1.0} for n in range(7)),
            {"time": 9.0, "event": "probe", "step": 6, "round": 1, "member": None,
             "stop_here": 1, "groups": {"copied": {"copied": 0.5}}, "pictures": []},
        ]  # fmt: skip
        (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        (folder / "log.txt").write_text("10 %\r20 %\nend\n")


def read_job(home: Path) -> None:
    from memviz.ui.train.history import History
    from memviz.ui.train.view import view
    from tests.support.command_line import call

    assert OTHER in [job.id for job in jobs.listing()]
    [*upkeep.find_problems()]
    upkeep.list_entries()
    told = call("jobs", "--json", home=home)
    assert told.returncode == 0, told.stderr
    job = jobs.find(RUN)
    job.last_metric()
    view(History(job).read(), lambda name: name, lambda name: name)


def make_config(home: Path) -> None:
    values = {"models": {"mine": "/m"}, "corpora": {"c": "/c"}, "trained": {"t": "/t"}}
    atomic.json(home / "config.json", values | {"keep": {"days": 9, "gb": 2}})


def read_config(home: Path) -> None:
    from memviz.ui.shared import controls
    from tests.support.command_line import call

    for kind in ("models", "corpora", "trained"):
        user_config.names(kind)
    user_config.find_problems()
    user_config.read_caps()
    controls.models()
    told = call("models", "--json", home=home)
    assert told.returncode == 0, told.stderr
    assert "demo-10k" in corpus.known()
    user_config.add("models", "new", "/new")


def make_descriptor(home: Path) -> None:
    samples.save_descriptor(home / "descriptor")


def read_descriptor(home: Path) -> None:
    from memviz.retrieval.descriptors.descriptor import descriptor

    descriptor(home / "descriptor").embed([samples.smooth(0)])


def make_defaults(home: Path) -> None:
    (home / "memviz.json").write_bytes((demo() / "model/memviz.json").read_bytes())


def read_defaults(home: Path) -> None:
    from types import SimpleNamespace

    model = SimpleNamespace(folder=home, path=str(home), hash=BANDS_OF)
    model_defaults.own(model)
    bands = [b for some in reference_bands.shipped(model).values() for b in some]
    reference_bands.Found(bands, "").of("a fox")
    for band in bands:
        band.range("magnitude", 0)
    [model_defaults.MethodSpec.parse(key, model_defaults.own(model)) for key in ("cfg", "stp")]


BANDS_OF = json.loads((demo() / "model/memviz.json").read_text())["bands"][0]["model"]


def make_bands(home: Path) -> None:
    where = reference_bands.Key("0" * 64, "ddim", 4, 2.0, "float32")
    limits = {"magnitude": {"low": [1.0] * 4, "high": [2.0] * 4}}
    reference_bands.save(where, reference_bands.Band(limits, 100, "titles", "a .*"))


def read_bands(home: Path) -> None:
    for some in reference_bands.kept("0" * 64).values():
        found = reference_bands.Found(some, "")
        found.of("a fox").range("magnitude", 3)
        found.note("a fox")


def make_prompts(home: Path) -> None:
    rows = [{"prompt": "a fox", "label": "memorized"}, {"prompt": "a hen", "label": "ordinary"}]
    (home / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (home / "p.json").write_text(json.dumps({"memorized": ["a"], "ordinary": ["b", "c"]}))
    (home / "p.csv").write_text('prompt,label\na fox,1\n"a, hen",0\n')
    (home / "p.txt").write_text("a fox\na hen\n")
    pq.write_table(pa.Table.from_pylist(rows), home / "p.parquet")


def read_prompts(home: Path) -> None:
    for file in sorted(home.iterdir()):
        with suppress(MemvizError):
            prompts.read(file)


def make_metadata(home: Path) -> None:
    for name in ("csv", "jsonl", "laion", "txt", "generations"):
        for n in range(2):
            (home / name).mkdir(exist_ok=True)
            samples.smooth(n, (8, 8)).save(home / name / f"{n}.png")
    (home / "csv/metadata.csv").write_text("file_name,text\n0.png,a\n1.png,b\n")
    (home / "jsonl/metadata.jsonl").write_text(
        '{"file_name": "0.png", "text": "a"}\n{"file_name": "1.png", "text": "b"}\n'
    )
    (home / "laion/x_combined_captions.json").write_text('{"/o/0.png": ["a", "b"], "1.png": "c"}')
    (home / "txt/0.txt").write_text("a caption")
    (home / "generations/prompts.txt").write_text("one\ntwo\n")
    (home / "urls").mkdir()
    urls = [{"caption": f"c{n}", "url": f"http://x/{n}.png"} for n in range(2)]
    (home / "urls/list.jsonl").write_text("\n".join(map(json.dumps, urls)))


def read_metadata(home: Path) -> None:
    for folder in sorted(home.iterdir()):
        with suppress(MemvizError):
            found = corpus.load(folder)
            read_all(found)


def read_all(found: corpus.Corpus) -> None:
    from memviz.retrieval.descriptors.preprocess import Preprocess
    from memviz.retrieval.index import items

    assert isinstance(found.hash, str)
    for id in found.ids:
        row = items.read(found, id, Preprocess(square=8)).row
        items.table([row])


def make_tables(home: Path) -> None:
    import io
    import tarfile

    def encoded(n: int) -> bytes:
        buffer = io.BytesIO()
        samples.smooth(n, (8, 8)).save(buffer, "png")
        return buffer.getvalue()

    (home / "tables").mkdir()
    rows = [{"image": {"bytes": encoded(n), "path": f"{n}.png"}, "text": f"c{n}"} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), home / "tables/a.parquet")
    (home / "shards").mkdir()
    with tarfile.open(home / "shards/0.tar", "w") as tar:
        for n in range(3):
            for suffix, data in (("png", encoded(n)), ("txt", b"c"), ("json", b'{"caption": "x"}')):
                entry = tarfile.TarInfo(f"{n}.{suffix}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))


def make_index(home: Path) -> None:
    from memviz.retrieval.descriptors.descriptor import descriptor
    from memviz.retrieval.index.build import build

    (home / "corpus").mkdir()
    for n in range(5):
        samples.smooth(n, (16, 16)).save(home / "corpus" / f"{n}.png")
    samples.save_descriptor(home / "descriptor")
    found, look = corpus.load(home / "corpus"), descriptor(home / "descriptor")
    [*build(found, look, home / "index/one")]


def read_index(home: Path) -> None:
    from memviz.retrieval import copy_detector
    from memviz.retrieval.descriptors.descriptor import descriptor
    from memviz.retrieval.index.build import build
    from memviz.retrieval.index.index import Index
    from memviz.retrieval.index.items import Items
    from memviz.search import duplicates

    found, look = corpus.load(home / "corpus"), descriptor(home / "descriptor")
    place = home / "index/one"
    with suppress(MemvizError):
        index = Index.load(place, found, look)
        detector = copy_detector.CopyDetector(found, look, index)
        detector.match([samples.smooth(9)], 3)
        index.copies(samples.unit(2), 0.1)
        duplicates.find_duplicates(detector, place)
        index.background_of(0)
    with suppress(MemvizError):
        items = Items(place / "items.parquet")
        [items.thumbnail(id) for id in found.ids]
    [*build(found, look, place)]
    Index.load(place, found, look).search(samples.unit(2), 3)


def make_images(home: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8))
    for suffix in ("png", "jpg", "webp", "gif", "bmp", "tiff"):
        image.save(home / f"{suffix}.{suffix}")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(home / "turned.jpg", exif=exif)


def read_images(home: Path) -> None:
    found = corpus.load(home)
    read_all(found)
    for id in found.ids:
        with suppress(MemvizError):
            images.plain(found.encoded(id))


def make_checkpoint(home: Path) -> None:
    import torch

    for step in (1, 2):
        pieces = {"state": {"x": torch.arange(9.0)}, "run": {"looks": "[]"}, "average-0": []}
        checkpoints(home).save(step, pieces)


def checkpoints(home: Path):
    from memviz.training.checkpoints import Checkpoints
    from memviz.training.iet_agc.distributed import ProcessGroup

    return Checkpoints(home / "checkpoints", 2, ProcessGroup())


def read_checkpoint(home: Path) -> None:
    assert checkpoints(home).load()["run"]["looks"] == "[]"


FORMATS = {
    "run.json": Format(make_run, read_run),
    "jobs": Format(make_job, read_job),
    "config.json": Format(make_config, read_config),
    "preset.json": Format(make_descriptor, read_descriptor),
    "memviz.json": Format(make_defaults, read_defaults),
    "bands": Format(make_bands, read_bands),
    "prompts": Format(make_prompts, read_prompts),
    "metadata": Format(make_metadata, read_metadata),
    "tables": Format(make_tables, read_metadata),
    "index": Format(make_index, read_index),
    "images": Format(make_images, read_images),
    "checkpoints": Format(make_checkpoint, read_checkpoint),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("MEMVIZ_HOME", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return folder


@pytest.mark.parametrize("name", FORMATS)
def test_no_damage_to_a_file_is_more_than_a_sentence(name, home, tmp_path):
    form, rng, begun = FORMATS[name], Random(name), time.monotonic()
    form.make(home)
    form.read(home)
    home.rename(tmp_path / "whole")
    files = [file.relative_to(tmp_path / "whole") for file in list_files(name, tmp_path / "whole")]
    faults, made = [], sandbox.count(MUTATIONS)
    with sandbox.confine(tmp_path):
        for number in range(made):
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(tmp_path / "whole", home)
            file = home / files[number % len(files)]
            damage.damage_file(file, rng)
            faults += sandbox.attempt((number, file.relative_to(home)), lambda: form.read(home))
    sandbox.report(f"damage to {name}", made, faults, begun)


def list_files(name: str, home: Path) -> list[Path]:
    """The files of a format: of a pair of runs or jobs the first alone."""
    files = sorted(p for p in home.rglob("*") if p.is_file() and OTHER not in p.parts)
    if name == "index":
        files = [file for file in files if "index" in file.parts]
    return files
