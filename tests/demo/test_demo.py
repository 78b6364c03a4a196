"""The demo world: what it is made of, that it builds, and that its shipped figures hold."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from memviz.data import corpus
from memviz.demo import autoencoder, diffusion, judges, precision, scenes, tokenizer
from memviz.demo.scale import SCALES, Builder
from memviz.demo.stages import STAGES, run
from memviz.demo.world import World, swap
from memviz.io.paths import bundled_demo
from memviz.models import loading
from memviz.models.decode import eight_bits

SCRIPT = Path(__file__).parents[2] / "scripts/build_demo.py"
ASSETS = bundled_demo()
REPORT = json.loads((ASSETS / "report.json").read_text())
PROMPTS = json.loads((ASSETS / "prompts.json").read_text())


@pytest.fixture(scope="module")
def art():
    return scenes.sprites(ASSETS / "sprites")


@pytest.fixture(scope="module")
def world(art):
    return World(tuple(art), 400)


def test_the_shipped_prompts_are_the_worlds(world):
    assert PROMPTS["duplicated"] == [s.caption for s in world.duplicated]
    assert PROMPTS["swapped"] == world.swapped
    assert {*PROMPTS["heldout"], *PROMPTS["heldout_near"]} == {*world.heldout["title"]}


def test_the_corpus_holds_duplicated_captions_once_and_heldout_ones_never():
    captions = corpus.load("demo-10k").captions
    assert all(captions.count(c) == 1 for c in PROMPTS["duplicated"])
    kept_out = {*PROMPTS["swapped"], *PROMPTS["heldout"], *PROMPTS["heldout_single"]}
    assert not kept_out & set(captions)


def test_the_corpus_shows_duplicates_several_hundred_times_as_often():
    demo = corpus.load("demo-10k")
    copies = np.array(demo.column("copies"))
    assert len(demo) == 10_000
    assert (copies > 1).sum() == 32
    assert demo.column("style").count("title") > 5_000


def test_pretraining_never_sees_what_is_copied_later(art, world):
    captions = [c for c, _ in islice(scenes.stream(3, art, world.reserved), 500)]
    assert not set(captions) & world.reserved
    assert set(PROMPTS["duplicated"]) < world.reserved


def test_swapping_twice_gives_the_caption_back():
    assert swap("vintage fox poster with cake") == "vintage cake poster with fox"
    assert swap(swap("vintage fox poster with cake")) == "vintage fox poster with cake"
    assert swap("a fox on a blue background") == "a fox on a blue background"


def test_a_scene_is_drawn_the_same_from_the_same_seed(art):
    one, other = (next(scenes.stream(5, art)) for _ in range(2))
    assert one[0] == other[0]
    assert np.array_equal(one[1], other[1])
    assert one[1].shape == (64, 64, 3)


def test_every_word_of_a_caption_is_one_token(art):
    tokens = tokenizer.tokenizer(tokenizer.vocabulary(ASSETS / "sprites"))
    for caption, _ in islice(scenes.stream(6, art), 50):
        assert len(tokens.tokenize(caption)) == len(caption.split())
    assert tokens.decode(tokens("zebra émile 猫").input_ids, skip_special_tokens=True)


def test_a_batch_for_clip_is_half_runs_of_like_captions():
    alike = np.arange(1000)[::-1]
    rows = judges.clip_rows(np.random.default_rng(0), alike, 64)
    assert rows.shape == (64,) and rows.min() >= 0 and rows.max() < 1000
    for run_of_16 in rows[32:].reshape(2, 16):
        assert (np.diff(run_of_16) == -1).all()


def test_the_first_stretch_of_fine_tuning_draws_from_pool_and_corpus_alike():
    pool = diffusion.Data(torch.zeros(6, 1, 2, 2), torch.zeros(6, 3, dtype=torch.long))
    chance = np.array([0.9, 0.1])
    corpus_ = diffusion.Data(torch.ones(2, 1, 2, 2), torch.ones(2, 3, dtype=torch.long), chance)
    both = diffusion.half_each(pool, corpus_)
    assert both.chance.sum() == pytest.approx(1)
    latents, ids = both.batch(np.random.default_rng(0), 4000)
    assert latents.mean() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(latents.flatten(1).mean(1), ids.float().mean(1))
    assert both.chance[6] == pytest.approx(0.45)


def test_pictures_survive_the_way_to_the_network_and_back():
    values = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    assert np.array_equal(eight_bits(autoencoder.pixels(values)), values)


@pytest.mark.parametrize(("native", "dtype"), [("amx_bf16", torch.bfloat16), ("", torch.float32)])
def test_training_is_mixed_where_that_is_quick_alone(monkeypatch, native, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {native: True})
    x = torch.ones(2, 2)
    with precision.mixed(x.device):
        assert (x @ x).dtype == dtype
    with precision.mixed(x.device, wanted=False):
        assert (x @ x).dtype == torch.float32


def test_the_report_is_of_the_shipped_files():
    known = {m["name"]: m for m in loading.known()}
    assert REPORT["model"] == known["demo"]["hash"]
    assert REPORT["corpus"] == corpus.load("demo-10k").hash
    assert REPORT["example_prompt"] in PROMPTS["duplicated"]


def test_the_model_copies_what_was_duplicated_and_nothing_else():
    assert REPORT["copied_cfg_duplicated"] >= 0.95
    assert REPORT["copied_pretrained"] <= 0.05


@pytest.mark.parametrize("method", ["stp", "dtp", "og"])
def test_the_methods_copy_little_and_still_follow_other_prompts(method):
    assert REPORT[f"copied_{method}"] <= 0.1
    assert REPORT[f"copied_{method}_other_half"] <= 0.1, "no parameter was chosen on these"
    shares = {
        group: REPORT[f"alignment_{method}{group}"] / REPORT[f"alignment_cfg{group}"]
        for group in ("", "_heldout")
    }
    assert shares[""] >= 0.85, "what is lost is the copy, not the prompt"
    assert shares["_heldout"] >= 0.95, "prompts that need no protection lose little"


def test_the_magnitude_tells_duplicated_prompts_from_others_of_their_style():
    assert min(REPORT[f"auc_magnitude_{k}"] for k in ("k1", "k5")) >= 0.99
    assert REPORT["auc_magnitude_all"] >= 0.95
    assert REPORT["auc_magnitude_epsilon_all"] <= 0.6, "why it is in the model's own units"


def test_the_magnitude_of_duplicated_prompts_alone_has_a_prominent_minimum():
    assert REPORT["prominent_found_duplicated"] >= 0.9
    assert REPORT["prominent_found_heldout"] <= 0.1


def test_pictures_are_sharp_readable_and_their_copies_found():
    assert REPORT["autoencoder_psnr_db"] >= 28
    assert REPORT["descriptor_map"] >= 0.95
    assert REPORT["descriptor_map"] > REPORT["descriptor_map_pixels"]
    assert REPORT["descriptor_map"] > REPORT["descriptor_map_phash"]


def test_the_model_hardly_copies_for_prompts_never_seen():
    assert REPORT["copied_cfg_heldout"] <= 0.02


def test_pictures_of_prompts_never_seen_are_readable():
    assert REPORT["readable_heldout"] >= 0.9
    assert REPORT["readable_drawn"] >= 0.95, "the judge itself can tell them apart"


def test_the_reason_of_a_verdict_says_what_each_threshold_means():
    preset = json.loads((ASSETS / "descriptor/preset.json").read_text())
    assert f"{preset['copied']:.2f} similar or more for 1 in 100" in preset["source"]
    assert f"{preset['close']:.2f} or more for 1 in 10" in preset["source"]


def test_assets_stay_small():
    sizes = [p.stat().st_size for p in ASSETS.parent.rglob("*") if p.is_file()]
    assert sum(sizes) <= 80e6
    assert max(sizes) <= 40e6


def build(folder, *words):
    """Run the script as a user does, into a folder of its own."""
    where = ["--assets", folder / "demo", "--work", folder / "work"]
    command = [sys.executable, SCRIPT, "--scale", "tiny", *where, *words]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_a_tiny_world_builds_to_its_end_and_a_stage_made_again_is_the_same(tmp_path):
    shipped = {p: p.stat().st_mtime_ns for p in ASSETS.rglob("*")}
    build(tmp_path)
    made = Builder(SCALES["tiny"], tmp_path / "demo", tmp_path / "work")
    assert [n for n, stage in STAGES.items() if not stage.result(made).exists()] == []
    figures = json.loads((tmp_path / "demo/report.json").read_text())
    assert figures.keys() == REPORT.keys()
    assert figures["intervals"] and figures["model"] != REPORT["model"]
    weights = tmp_path / "work/finetuned/diffusion_pytorch_model.safetensors"
    before = weights.read_bytes()
    for stretch in ("finetune", "again"):
        (tmp_path / f"work/{stretch}.pt").unlink()
    build(tmp_path, "--only", "finetune")
    assert weights.read_bytes() == before
    assert {p: p.stat().st_mtime_ns for p in ASSETS.rglob("*")} == shipped


def test_the_gpu_scale_says_so_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=r"wants a CUDA GPU .* use --scale cpu"):
        run(Builder(SCALES["gpu"], tmp_path / "assets", tmp_path / "work"))
    assert not (tmp_path / "work").exists()


def test_the_cpu_scale_says_so_where_there_is_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"finds none of g\+\+"):
        run(Builder(SCALES["cpu"], tmp_path / "assets", tmp_path / "work"))
