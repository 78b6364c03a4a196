"""A whole fine-tuning on the tiny pipeline: its events, its files, and going on after a break."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from memviz.errors import MemvizError
from memviz.models import loading
from memviz.training import dry_run
from memviz.training.config import MODES
from memviz.training.monitoring import round_sweep
from memviz.training.trainer import Run, train
from tests.support import fine_tuning, world
from tests.support.fine_tuning import losses, of


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """An unbroken IET-AGC fine-tuning: its folder and events."""
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, fine_tuning.run(fine_tuning.config(small), out)


def weights(out):
    return load_file(out / "model/unet/diffusion_pytorch_model.safetensors")


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


def test_the_events_of_a_run_are_those_that_are_listed(whole):
    _, events = whole
    kinds = [e["event"] for e in events]
    assert kinds[:3] == ["start", "fixed_loss", "probe"] and kinds[-1] == "done"
    assert {"step", "gate", "leaderboard", "probe", "saved", "checkpoint"} <= set(kinds)
    assert [(e["step"], e["member"]) for e in of(events, "step")] == [
        *((s, 0) for s in (1, 2, 3)), *((s, 1) for s in (4, 5, 6)),
        *((s, 0) for s in (7, 8, 9)), *((s, 1) for s in (10, 11, 12)),
    ]  # fmt: skip
    assert [e["round"] for e in of(events, "probe")] == [0, 1, 2]
    assert [len(e["skipped_by_t"]) for e in of(events, "gate")] == [20, 20]


def test_every_event_is_written_beside_and_tells_speed_and_gradient(whole):
    out, events = whole
    kept = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in row.items() if k != "time"} for row in kept] == events
    for event in of(events, "step"):
        assert event["norm"] > 0 and event["samples_per_second"] > 0 and event["steps"] == 12
    *_, last = of(events, "step")
    assert last["left"] == 0


def test_the_fixed_loss_falls_and_disturbs_nothing(whole, small, tmp_path):
    config = fine_tuning.config(small, hold_out=2, mode="plain", probes="none", rounds=3)
    events = fine_tuning.run(config, tmp_path / "out")
    looks = [*of(events, "fixed_loss")]
    assert [look["round"] for look in looks] == [0, 1, 2, 3]
    assert looks[-1]["held_out"] < looks[0]["held_out"] and looks[-1]["seen"] < looks[0]["seen"]
    *_, none = of(whole[1], "fixed_loss")
    assert none["held_out"] is None and none["seen"] > 0


def test_a_batch_of_which_nothing_is_kept_moves_no_weight_and_counts_no_step(small):
    config = fine_tuning.config(small, mode="agc", probes="none")
    run = Run(config, Path("unused"), lambda text: None)
    member, student = run.training.members[0], run.student
    for kept, moves in ((0.0, False), (0.5, True), (0.0, False)):
        before = student.values()
        batch = run.data.batch(np.arange(2), np.random.default_rng(0))
        losses, _ = student.losses(*batch, torch.tensor([5, 9]))
        losses.mean().backward()
        assert member.apply(student, torch.tensor(kept)) > 0
        moved = any(not torch.equal(a, b) for a, b in zip(before, student.values(), strict=True))
        assert moved == moves
    assert {state["step"].item() for state in member.optimizer.state.values()} == {1.0}


def test_rounds_before_the_rate_has_fallen_are_marked(small, tmp_path):
    config = fine_tuning.config(small, schedule="cosine", probe_within=2)
    events = fine_tuning.run(config, tmp_path / "out")
    marks = {(e["step"], e["member"]): e["mid_schedule"] for e in of(events, "probe")}
    assert not marks[0, None] and not marks[12, None]
    assert marks[6, None] and marks[8, 0] and marks[11, 1]
    constant = fine_tuning.config(small)
    assert not constant.in_mid_schedule(1)


def test_metrics_go_to_a_tracker_too(small, tmp_path):
    pytest.importorskip("tensorboardX")
    config = fine_tuning.config(small, probes="none", tracker="tensorboard")
    fine_tuning.run(config, tmp_path / "out")
    files = [*(tmp_path / "out/logs").rglob("events.out.tfevents*")]
    written = b"".join(file.read_bytes() for file in files)
    for name in (b"step/loss", b"step/norm", b"fixed_loss/seen", b"gate/skipped"):
        assert name in written


def test_the_model_it_leaves_can_be_loaded_and_differs_from_the_first(whole, small):
    out, events = whole
    made = loading.load(str(out / "model"))
    first = loading.load(str(small.model))
    assert not torch.equal(made.pipe.unet.conv_in.weight, first.pipe.unet.conv_in.weight)
    told = [f.read_text() for f in (out / "model").rglob("config.json")]
    assert told and not any("_name_or_path" in text for text in told), "folders of the maker"
    card = (out / "model/README.md").read_text()
    assert "--mode " not in card  # the default is not spelled out
    assert "--local-steps 3" in card and "iet-agc" in card
    assert all((out / p["file"]).is_file() for e in of(events, "probe") for p in e["pictures"])


def test_a_round_can_be_compared_as_a_unet_of_its_own(whole, small):
    out, events = whole
    folders = [e["folder"] for e in of(events, "saved")]
    assert folders == ["rounds/0001", "rounds/0002"]
    assert loading.load(f"{small.model}+{out / folders[0]}").parameters > 0


@pytest.mark.parametrize("stop_after", [1, 4, 6, 7, 11])
def test_stopped_and_resumed_it_is_the_unbroken_run_bit_for_bit(whole, small, tmp_path, stop_after):
    config, seen = fine_tuning.config(small), []
    for event in train(config, tmp_path / "out", lambda: len([*of(seen, "step")]) >= stop_after):
        seen.append(event)
    assert seen[-1] == {"event": "stopped", "step": stop_after}
    rest = fine_tuning.run(config, tmp_path / "out", resume=True)
    assert rest[0]["resumed_at"] == stop_after
    assert losses(seen) | losses(rest) == losses(whole[1])
    assert same(weights(tmp_path / "out"), weights(whole[0]))
    assert [*of(rest, "gate")][-1] == [*of(whole[1], "gate")][-1]
    assert [*of(rest, "probe")][-1] == [*of(whole[1], "probe")][-1]


DAMAGE = {
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "flipped": lambda file: file.write_bytes(
        file.read_bytes()[:-9] + b"x" + file.read_bytes()[-8:]
    ),
    "gone": lambda file: file.unlink(),
}


@pytest.mark.parametrize("damage", [*DAMAGE])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole, small, tmp_path, damage):
    config, seen, said = fine_tuning.config(small), [], []
    for event in train(config, tmp_path / "out", lambda: len([*of(seen, "step")]) >= 6):
        seen.append(event)
    before, newest = sorted((tmp_path / "out/checkpoints").iterdir())
    DAMAGE[damage](newest / "0000-state.pt")
    rest = fine_tuning.run(config, tmp_path / "out", resume=True, note=said.append)
    assert rest[0]["resumed_at"] == int(before.name) < int(newest.name)
    assert f"{newest} is damaged; the one before it is taken." in said
    assert losses(seen) | losses(rest) == losses(whole[1])
    for place in (tmp_path / "out/checkpoints").iterdir():
        (place / "manifest.json").write_text("{")
    with pytest.raises(MemvizError, match=r"No checkpoint in .* is undamaged"):
        fine_tuning.run(config, tmp_path / "out", resume=True)


def test_prompts_are_looked_at_within_rounds_too_and_change_nothing(whole, small, tmp_path):
    config = fine_tuning.config(small, probe_within=2)
    events = fine_tuning.run(config, tmp_path / "out")
    looks = [(e["step"], e["round"], e["member"]) for e in of(events, "probe")]
    assert looks == [
        (0, 0, None), (2, 1, 0), (5, 1, 1), (6, 1, None), (8, 2, 0), (11, 2, 1), (12, 2, None),
    ]  # fmt: skip
    assert len(looks) == dry_run.looks(config)
    assert same(weights(tmp_path / "out"), weights(whole[0]))
    assert all(
        (tmp_path / "out" / p["file"]).is_file() for e in of(events, "probe") for p in e["pictures"]
    )


def test_the_last_step_of_a_round_is_looked_at_once(small, tmp_path):
    config = fine_tuning.config(small, probe_within=3, rounds=1, save_every=0)
    looks = [*of(fine_tuning.run(config, tmp_path / "out"), "probe")]
    assert [(e["step"], e["member"]) for e in looks] == [(0, None), (3, 0), (6, None)]
    assert len(looks) == dry_run.looks(config)


def test_saved_rounds_are_looked_at_again(whole, tmp_path):
    events = [*round_sweep.sweep(whole[0], tmp_path, seeds=(0, 1))]
    start, *looks, done = events
    assert start["looks"] == len(looks) == 3
    before = [*of(whole[1], "probe")]
    assert [(e["round"], e["step"]) for e in looks] == [(e["round"], e["step"]) for e in before]
    for look, other in zip(looks, before, strict=True):
        near = {(p["prompt"], p["seed"]): p["similarity"] for p in look["pictures"]}
        assert len(near) == 2 * len(other["pictures"])
        for picture in other["pictures"]:  # saved in half precision
            assert near[picture["prompt"], 0] == pytest.approx(picture["similarity"], abs=0.02)
        assert all((tmp_path / p["file"]).is_file() for p in look["pictures"])
    assert loading.load(done["model"]).parameters > 0


def test_a_training_without_saved_rounds_is_a_sentence(whole, tmp_path):
    (tmp_path / "config.json").write_text((whole[0] / "config.json").read_text())
    with pytest.raises(MemvizError, match="has no saved round yet"):
        next(round_sweep.sweep(tmp_path, tmp_path / "sweep"))
    with pytest.raises(MemvizError, match="holds no training"):
        next(round_sweep.sweep(tmp_path / "nothing", tmp_path / "sweep"))


def test_settings_that_cannot_be_leave_the_folder_free(small, tmp_path):
    with pytest.raises(MemvizError, match="No such corpus"):
        fine_tuning.run(fine_tuning.config(small, corpus="/nowhere"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("mode", [m for m in MODES if m != "iet-agc"])
def test_every_mode_trains_with_the_same_samples(small, tmp_path, mode):
    config = fine_tuning.config(small, mode=mode, probes="none")
    events = fine_tuning.run(config, tmp_path / "out")
    assert events[-1]["samples"] == 24 and events[-1]["step"] == 12
    assert len({e["member"] for e in of(events, "step")}) == (2 if mode[:3] == "iet" else 1)
    assert any(of(events, "gate")) == ("agc" in mode)


@pytest.mark.parametrize(
    "changes",
    [
        {"flip": True, "empty": 0.5, "accumulation": 2},
        {"center_crop": False, "captions": "randwordadd", "captions_share": 1.0},
        {"captions": "wordrepeat", "embedding_noise": 0.1, "embedding_mixup": 0.5},
        {"captions": "randrepl", "duplication": "both", "dup_share": 0.3, "schedule": "cosine"},
        {"text_encoder": True, "gradient_checkpointing": True, "schedule": "linear"},
        {"precision": "bf16", "clip": 0, "copies": "together"},
        {"wen_threshold": 1e-9, "copies": "spread"},
    ],
    ids=lambda c: ",".join(c),
)
def test_the_other_settings_train_too(small, tmp_path, changes):
    config = fine_tuning.config(small, mode="agc", rounds=1, probes="none", **changes)
    events = fine_tuning.run(config, tmp_path / "out")
    assert events[-1]["event"] == "done"
    if "wen_threshold" in changes:  # every sample is skipped: the weights must stand still
        first = load_file(small.model / "unet/diffusion_pytorch_model.safetensors")
        assert all(torch.equal(v, first[k].half()) for k, v in weights(tmp_path / "out").items())


def test_an_autoencoder_with_a_posterior_is_sampled(small, tiny_model, tmp_path):
    config = fine_tuning.config(small, model=str(tiny_model), rounds=1, probes="none")
    assert fine_tuning.run(config, tmp_path / "out")[-1]["event"] == "done"


def test_a_folder_in_use_is_not_written_over(whole, small):
    with pytest.raises(MemvizError, match="holds a training already"):
        fine_tuning.run(fine_tuning.config(small), whole[0])
    with pytest.raises(MemvizError, match="begun with another --seed"):
        fine_tuning.run(fine_tuning.config(small, seed=9), whole[0], resume=True)


def test_resuming_a_finished_training_does_nothing(whole, small):
    files = {f: f.stat().st_mtime_ns for f in whole[0].rglob("*") if f.name != "metrics.jsonl"}
    start, done = fine_tuning.run(fine_tuning.config(small), whole[0], resume=True)
    assert start["resumed_at"] == 12 and (done["event"], done["step"]) == ("done", 12)
    assert {f: f.stat().st_mtime_ns for f in files} == files


def test_a_finished_training_is_made_longer_and_watched_otherwise(whole, small, tmp_path):
    out = tmp_path / "out"
    fine_tuning.run(fine_tuning.config(small), out)
    longer = fine_tuning.config(small, rounds=3, probe_every=3, log_every=2)
    rest = fine_tuning.run(longer, out, resume=True)
    assert (rest[0]["resumed_at"], rest[-1]["step"]) == (12, 18)
    assert [e["round"] for e in of(rest, "probe")] == [3]
    fine_tuning.run(fine_tuning.config(small, rounds=3), tmp_path / "at-once")
    assert same(weights(out), weights(tmp_path / "at-once"))


def test_what_did_not_change_is_written_once(small, tmp_path):
    """Two members, a checkpoint after every step: the parked one's optimizer is one file."""
    config = fine_tuning.config(small, checkpoint_every=1, keep=9, rounds=1, probes="none")
    fine_tuning.run(config, tmp_path / "out")
    places = sorted((tmp_path / "out/checkpoints").iterdir())
    names = [{f.name for f in place.glob("*.pt")} for place in places]
    assert names[3] == {
        "0000-state.pt", "0000-run.pt", "0000-member-0-3.pt", "0000-member-1-1.pt",
        "0000-average-0.pt", "0000-total-0-1.pt",
    }  # fmt: skip
    inodes = [{f.name: f.stat().st_ino for f in place.glob("*.pt")} for place in places]
    for name in ("0000-member-0-3.pt", "0000-average-0.pt", "0000-total-0-1.pt"):
        assert inodes[3][name] == inodes[4][name]
    assert inodes[3]["0000-state.pt"] != inodes[4]["0000-state.pt"]


def test_a_single_member_keeps_no_average(small, tmp_path):
    config = fine_tuning.config(small, mode="agc", probes="none")
    fine_tuning.run(config, tmp_path / "out")
    newest = max((tmp_path / "out/checkpoints").iterdir())
    assert {f.name for f in newest.glob("*.pt")} == {
        "0000-state.pt", "0000-run.pt", "0000-member-0-12.pt",
    }  # fmt: skip
    assert Run(config, tmp_path, print).training.average is None


def test_a_loss_that_is_not_finite_ends_it_with_a_sentence(small, tmp_path):
    config = fine_tuning.config(small, lr=1.0, clip=0, warmup=0, local_steps=40, probes="none")
    with pytest.raises(MemvizError, match=r"The loss is \w+ at step \d+\. Lower --lr\."):
        fine_tuning.run(config, tmp_path / "out")


def test_a_study_of_several_captions_needs_them(small, tmp_path):
    with pytest.raises(MemvizError, match="one caption per picture"):
        fine_tuning.run(fine_tuning.config(small, captions="allcaps"), tmp_path / "out")


def test_a_lora_is_trained_alone_and_folded_in(small, tmp_path):
    pytest.importorskip("peft")
    config = fine_tuning.config(small, lora=2)
    fine_tuning.run(config, tmp_path / "out")
    first = load_file(small.model / "unet/diffusion_pytorch_model.safetensors")
    made = weights(tmp_path / "out")
    assert made.keys() == first.keys()
    changed = {name for name in made if not torch.equal(made[name], first[name].half())}
    assert changed and all(".attn" in name and ".to_" in name for name in changed)
    assert [f.name for f in (tmp_path / "out/rounds/0002").iterdir()] == [
        "pytorch_lora_weights.safetensors"
    ]
    for place in ("rounds/0002", "model"):  # on the base it is the finished model
        pipe = loading.load(str(small.model)).pipe
        pipe.load_lora_weights(str(tmp_path / "out" / place))
        pipe.fuse_lora()
        pipe.unload_lora_weights()
        for name, value in pipe.unet.state_dict().items():
            torch.testing.assert_close(value.half(), made[name], rtol=1e-2, atol=1e-3)
    looks = [*of([*round_sweep.sweep(tmp_path / "out", tmp_path / "sweep")], "probe")]
    assert [look["round"] for look in looks] == [0, 1, 2]


def test_what_is_frozen_is_kept_in_half_precision(small, tmp_path):
    pytest.importorskip("peft")
    config = fine_tuning.config(small, lora=2, precision="bf16", rounds=1)
    run = Run(config, tmp_path / "out", print)
    unet, half = run.student.pipe.unet, torch.bfloat16
    kinds = {n: p.dtype for n, p in unet.named_parameters()}
    assert {kinds[n] for n in kinds if "lora" in n} == {torch.float32}
    assert {kinds[n] for n in kinds if "lora" not in n} == {half}
    assert run.student.pipe.vae.dtype == run.student.pipe.text_encoder.dtype == half
    events = [*run.events(lambda: False)]
    assert events[-1]["event"] == "done" and len([*of(events, "probe")]) == 2
    full = fine_tuning.config(small, precision="bf16", rounds=1)
    assert fine_tuning.run(full, tmp_path / "full")[-1]["event"] == "done"  # and is looked at


@pytest.mark.parametrize(
    ("library", "changes"),
    [
        ("peft", {"lora": 4}),
        ("bitsandbytes", {"eight_bit": True}),
        ("wandb", {"tracker": "wandb"}),
    ],
)
def test_what_is_not_installed_is_named(small, tmp_path, library, changes, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setitem(sys.modules, f"{library}.optim", None)
    with pytest.raises(MemvizError, match=f"Install it with `pip install {library}`"):
        fine_tuning.run(fine_tuning.config(small, probes="none", **changes), tmp_path / "out")
