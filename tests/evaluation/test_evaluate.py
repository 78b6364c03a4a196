"""Each protocol from start to end in tiny counts, and what its table says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memviz.evaluation import evaluate as module
from memviz.evaluation.bulk import Share
from memviz.evaluation.evaluate import Evaluation, Progress, demo_twin, evaluate
from memviz.evaluation.metrics import inception
from memviz.evaluation.protocols import Protocol, list_protocols, load_protocol
from memviz.evaluation.requirements import MissingPart, missing_needs
from memviz.retrieval.dcr_statistics import statistics
from tests.support import samples, world
from tests.support.command_line import call


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> world.World:
    return world.build(tmp_path_factory.mktemp("world"))


def twin(name: str, tiny: world.World) -> Protocol:
    protocol = load_protocol(name)
    return demo_twin(protocol, str(tiny.model), str(tiny.corpus), str(tiny.descriptor))


def run(asked: Evaluation) -> dict:
    *_, last = evaluate(asked)
    assert last.stage == "done"
    return dict(last.result)


@pytest.fixture(scope="module")
def standard(tiny: world.World, tmp_path_factory: pytest.TempPathFactory) -> dict:
    protocol = replace(twin("standard", tiny), methods=("stp", "cfg"))
    out = tmp_path_factory.mktemp("standard")
    return run(Evaluation(protocol, out, load_protocol("standard")))


@pytest.mark.parametrize("name", list_protocols())
def test_each_protocol_runs_from_start_to_end(name: str, tiny: world.World, tmp_path: Path) -> None:
    result = run(Evaluation(twin(name, tiny), tmp_path, load_protocol(name), skip_missing=True))
    assert result["state"] == "done"
    row = result["rows"][0]
    known = [column for column in result["columns"] if row["values"].get(column)]
    absent = set(result["columns"]) - set(known)
    assert all(column.startswith(("own_", "unmitigated", "cc_")) for column in absent), absent
    assert all(np.isfinite(row["values"][column]["mean"]) for column in known)
    assert any("steps 4, not 50" in text for text in row["departs"])
    assert set(Path(file).name for file in result["files"].values()) == {
        *("table.csv", "table.parquet", "table.tex", "table.md", "evaluation.json")
    }


def test_plain_guidance_comes_first_and_others_are_held_against_it(standard: dict) -> None:
    plain, other = standard["rows"]
    assert plain["method"] == "cfg"
    assert plain["values"]["cost"]["mean"] == 1
    assert plain["changes"]["sim_mean"] is None
    assert plain["values"]["unmitigated"] is None
    assert -1 <= other["values"]["unmitigated"]["mean"] <= 1
    change = other["values"]["sim_mean"]["mean"] - plain["values"]["sim_mean"]["mean"]
    assert other["changes"]["sim_mean"]["mean"] == pytest.approx(change, abs=2e-4)


def test_the_figures_are_dcrs_of_the_vectors_kept(standard: dict) -> None:
    """From the features on disk, by brute force."""
    from memviz import resources

    row = standard["rows"][0]
    detector = resources.load_detector(*(standard["protocol"][k] for k in ("corpus", "descriptor")))
    folder = Path(row["folder"])
    images = [samples.Image.open(folder / "generations" / f"{i}.png") for i in range(4)]
    vectors = detector.descriptor.embed(images)
    top = (vectors @ np.asarray(detector.index.vectors).T).max(1)
    expected = statistics(top, detector.index.background)
    for name in ("sim_mean", "sim_95pc"):
        assert row["values"][name]["mean"] == pytest.approx(expected[name], abs=1e-4)


def test_a_second_run_makes_and_looks_at_nothing(
    tiny: world.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Evaluation(twin("standard", tiny), tmp_path)
    first = run(asked)
    made = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.png")}
    from memviz.evaluation.judges import Judge

    monkeypatch.setattr(Judge, "features", lambda *_: pytest.fail("looked at a picture again"))
    second = run(asked)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.png")} == made
    assert len(made) == 8
    for before, after in zip(first["rows"], second["rows"], strict=True):
        assert before["values"] == after["values"]
    for changed in (replace(asked.protocol, steps=3), replace(asked.protocol, limit=1)):
        monkeypatch.undo()
        run(replace(asked, protocol=changed))
    assert len([*tmp_path.rglob("*.png")]) == 8 + 8 + 4


def test_pictures_made_elsewhere_are_judged(tiny: world.World, tmp_path: Path) -> None:
    for name in ("cfg", "mine"):
        for i in range(3):
            (tmp_path / "in" / name).mkdir(parents=True, exist_ok=True)
            samples.smooth(i + len(name)).save(tmp_path / "in" / name / f"{i}.png")
            (tmp_path / "in" / name / f"{i}.txt").write_text(f"picture {i} <b>& more</b>")
    asked = Evaluation(twin("standard", tiny), tmp_path / "out", images=tmp_path / "in")
    rows = run(replace(asked, protocol=replace(asked.protocol, model="")))["rows"]
    assert [row["method"] for row in rows] == ["cfg", "mine"]
    assert rows[0]["values"]["evaluations"] is None
    assert rows[1]["values"]["own_mean"] is not None
    assert any("made elsewhere" in text for text in rows[0]["departs"])


def test_pictures_of_other_noise_are_not_paired(tiny: world.World, tmp_path: Path) -> None:
    for seed, method in ((0, "cfg"), (1, "stp")):
        words = ["generate", "--prompts", "demo:duplicated", "--limit", "2", "--steps", "2"]
        words += ["--model", tiny.model, "--methods", method, "--seeds", seed]
        assert call(*words, "--out", tmp_path / "in" / method).returncode == 0
    asked = Evaluation(twin("standard", tiny), tmp_path / "out", images=tmp_path / "in")
    other = run(asked)["rows"][1]
    assert other["values"]["unmitigated"] is None
    assert other["changes"]["sim_mean"] is None


def test_what_is_missing_is_said_before_any_work(tmp_path: Path) -> None:
    protocol = load_protocol("jain-4")
    parts = [need.part for need in missing_needs(protocol)]
    assert parts == ["model", "prompts", "corpus", "descriptor", "clip"]
    with pytest.raises(MissingPart, match=r"about 4\.3 GB, CreativeML Open"):
        next(evaluate(Evaluation(protocol, tmp_path / "out", skip_missing=True)))
    assert not (tmp_path / "out").exists()
    parts = [need.part for need in missing_needs(load_protocol("dcr"), images=True)]
    assert parts == ["corpus", "descriptor", "clip", "inception"]


def test_fid_in_each_preparation_where_the_weights_are_here(
    tiny: world.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A narrow network in place of the published one, which cannot be had here."""
    import torch

    class Narrow(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv2d(3, 4, 50, 50)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x).mean((2, 3))

    torch.manual_seed(0)
    network = Narrow().eval()
    monkeypatch.setattr(inception, "load_inception", lambda: network)
    monkeypatch.setattr(inception, "place", lambda: Path(__file__))
    columns = ("fid", "fid-clean", "fid-dcr", "kid")
    protocol = replace(twin("dcr", tiny), columns=columns, methods=("cfg",))
    values = run(Evaluation(protocol, tmp_path))["rows"][0]["values"]
    found = [values[name]["mean"] for name in columns]
    assert min(found[:3]) > 0
    assert len(set(found)) == 4


def test_every_format_has_every_figure(standard: dict) -> None:
    files = {kind: Path(file) for kind, file in standard["files"].items()}
    table, parquet = pd.read_csv(files["csv"]), pd.read_parquet(files["parquet"])
    for name in ("sim_mean", "clipscore_low", "cost"):
        assert table[name].tolist() == pytest.approx(parquet[name].tolist(), nan_ok=True)
    assert table["sim_mean"][0] == standard["rows"][0]["values"]["sim_mean"]["mean"]
    assert json.loads(files["json"].read_text())["protocol"]["steps"] == 4
    tex = files["tex"].read_text()
    assert "\\toprule" in tex and "sim\\_mean" in tex and tex.count("\\\\") == 3
    assert files["md"].read_text().startswith("| method | sim_mean |")


def test_a_published_row_stands_below_its_method(tiny: world.World, tmp_path: Path) -> None:
    protocol = replace(twin("jain-1", tiny), methods=("cfg", "stp"))
    result = run(Evaluation(protocol, tmp_path, load_protocol("jain-1"), skip_missing=True))
    assert result["left_out"]["inception"].startswith("FID's Inception")
    assert "| published: STP | 0.2857 |" in " ".join(
        (tmp_path / "table.md").read_text().replace("  ", " ").split()
    )
    assert any("copies" not in text and "jump" in text for text in result["rows"][0]["departs"])


def test_the_second_process_leaves_judging_to_the_first(
    tiny: world.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "meet_others", lambda share: share.rank == 0)
    asked = Evaluation(replace(twin("standard", tiny), methods=("cfg",)), tmp_path, batch=2)
    stages = [step for step in evaluate(asked, Share(1, 2)) if isinstance(step, Progress)]
    assert all(step.result is None for step in stages)
    *_, last = evaluate(asked, Share(0, 2))
    assert last.result["rows"][0]["pictures"] == 4


def test_the_verb_prints_the_table_and_a_missing_part_is_one_sentence(
    tiny: world.World, tmp_path: Path
) -> None:
    words = ["evaluate", "--smoke", "--model", tiny.model, "--corpus", tiny.corpus]
    words += ["--descriptor", tiny.descriptor, "--out", tmp_path / "out", "--seeds", "3"]
    told = call(*words, "--methods", "cfg,dtp")
    assert told.returncode == 0, told.stderr
    assert "Dynamic transition" in told.stdout and "seeds 3, not 0,1,2,3" in told.stdout
    told = call("evaluate", "--protocol", "dcr", "--out", tmp_path / "none")
    assert told.returncode == 2
    assert len(told.stderr.strip().splitlines()) == 1
    assert "sscd_disc_large" in told.stderr and "MIT" in told.stderr
