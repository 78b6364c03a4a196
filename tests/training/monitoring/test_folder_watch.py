"""A training of another program, watched through what it saves: names, steps, curve and stop."""

import json
from xml.etree import ElementTree

import pytest
import torch
from safetensors.torch import save_file

from memviz.errors import MemvizError
from memviz.models import loading
from memviz.training.config import Config
from memviz.training.monitoring.folder_watch import watch_folder
from memviz.training.monitoring.memorization_curve import draw_curve, write_table
from memviz.training.monitoring.saved_weights import find_weights
from memviz.training.monitoring.weights_loading import WeightsLoader
from tests.support import world

QUERY = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return world.build(tmp_path_factory.mktemp("world"))


def adapter(names=("unet." + QUERY,), down="lora_A.weight", up="lora_B.weight", scale=1.0):
    """A LoRA of rank 2 on one projection (32 to 32), under a trainer's names."""
    made = torch.Generator().manual_seed(0)
    found = {}
    for name in names:
        found[f"{name}.{down}"] = torch.randn(2, 32, generator=made) * scale
        found[f"{name}.{up}"] = torch.randn(32, 2, generator=made)
    return found


def kohya(scale=1.0):
    name = "lora_unet_" + QUERY.replace(".", "_")
    found = adapter([name], "lora_down.weight", "lora_up.weight", scale)
    return found | {f"{name}.alpha": torch.tensor(2.0)}


def put(place, tensors, **metadata):
    place.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, place, metadata=metadata or None)


def states(folder):
    return [(str(w.place.relative_to(folder)), w.kind, w.step) for w in find_weights(folder)]


def test_the_folders_of_all_trainers_are_read(tmp_path, small):
    unet = loading.load(str(small.model)).pipe.unet
    put(tmp_path / "diffusers/checkpoint-20/pytorch_lora_weights.safetensors", adapter())
    put(tmp_path / "diffusers/checkpoint-20/optimizer.safetensors", {"x": torch.ones(1)})
    put(tmp_path / "diffusers/pytorch_lora_weights.safetensors", adapter())
    unet.save_pretrained(tmp_path / "full/checkpoint-500/unet")
    unet.save_pretrained(tmp_path / "full/checkpoint-500/unet_ema")
    put(tmp_path / "kohya/fox-000002.safetensors", kohya())
    put(tmp_path / "kohya/fox-step00000300.safetensors", kohya())
    put(tmp_path / "kohya/fox.safetensors", kohya(), ss_steps="400")
    put(tmp_path / "ai/fox_000000250.safetensors", adapter())
    put(tmp_path / "ai/fox.safetensors", adapter(), training_info=json.dumps({"step": 260}))
    put(tmp_path / "one/save/2026-01-02_03-04-05-save-40-2-0.safetensors", kohya())
    put(tmp_path / "old/fox-step00000010.safetensors", {"model.diffusion_model.x": torch.ones(1)})
    (tmp_path / "one/half.safetensors").write_bytes(b"\x99" * 20)
    assert states(tmp_path / "diffusers") == [
        ("checkpoint-20/pytorch_lora_weights.safetensors", "lora", 20),
        ("pytorch_lora_weights.safetensors", "lora", None),
    ]
    assert states(tmp_path / "full") == [("checkpoint-500/unet", "unet", 500)]
    assert states(tmp_path / "kohya") == [
        ("fox-000002.safetensors", "lora", 2),
        ("fox-step00000300.safetensors", "lora", 300),
        ("fox.safetensors", "lora", 400),
    ]
    assert [step for _, _, step in states(tmp_path / "ai")] == [250, 260]
    assert [step for _, _, step in states(tmp_path / "one")] == [40]
    assert states(tmp_path / "old") == [("fox-step00000010.safetensors", "original", 10)]


def test_a_file_that_is_still_being_written_waits(tmp_path):
    put(tmp_path / "fox-000002.safetensors", kohya())
    whole = (tmp_path / "fox-000002.safetensors").read_bytes()
    (tmp_path / "fox-000003.safetensors").write_bytes(whole[:-8])
    assert [step for _, _, step in states(tmp_path)] == [2]
    (tmp_path / "fox-000003.safetensors").write_bytes(whole)
    assert [step for _, _, step in states(tmp_path)] == [2, 3]


def change(loader, name=QUERY):
    """What an adapter adds to the output of one projection."""
    part = loader.pipe.unet.get_submodule(name)
    with torch.no_grad():
        return part(torch.eye(32)).T - getattr(part, "base_layer", part)(torch.eye(32)).T


@pytest.mark.parametrize("tensors", [adapter(), kohya()], ids=["diffusers", "kohya"])
def test_a_lora_stands_on_the_base_and_comes_off(small, tmp_path, tensors):
    pytest.importorskip("peft")
    put(tmp_path / "fox-000001.safetensors", tensors)
    loader = WeightsLoader(loading.load(str(small.model)), str(small.model))
    first = {name: value.clone() for name, value in loader.pipe.unet.state_dict().items()}
    (weights,) = find_weights(tmp_path)
    loader.load(weights)
    down, up = (next(v for k, v in tensors.items() if k.split(".")[-2] in n) for n in (
        ("lora_A", "lora_down"), ("lora_B", "lora_up"),
    ))  # fmt: skip
    torch.testing.assert_close(change(loader), up @ down, rtol=1e-4, atol=1e-4)
    changed = tmp_path / "full/checkpoint-5/unet"
    other = loading.load(str(small.model)).pipe.unet
    with torch.no_grad():
        other.conv_in.weight.add_(1)
    other.save_pretrained(changed)
    full, _ = find_weights(tmp_path)[::-1]
    loader.load(full)
    assert torch.equal(loader.pipe.unet.conv_in.weight, other.conv_in.weight)
    loader.load(weights)  # on the base again
    assert torch.equal(loader.pipe.unet.conv_in.weight, first["conv_in.weight"])


def test_weights_of_another_model_are_a_sentence(small, tmp_path):
    pytest.importorskip("peft")
    put(tmp_path / "fox-000001.safetensors", {"unet.nowhere.to_q.lora_A.weight": torch.ones(2, 7)})
    loader = WeightsLoader(loading.load(str(small.model)), str(small.model))
    with pytest.raises(MemvizError, match=r"does not fit .* Name the model .* with --base"):
        loader.load(find_weights(tmp_path)[0])


@pytest.fixture
def config(small):
    return Config(
        model=str(small.model), corpus=str(small.corpus), descriptor=str(small.descriptor),
        probe_prompts=1, probe_steps=2,
    )  # fmt: skip


def test_each_state_is_looked_at_as_it_comes_and_once(config, tmp_path):
    pytest.importorskip("peft")
    put(tmp_path / "run/fox-step00000010.safetensors", kohya())
    waits = []

    def pause(seconds):
        waits.append(seconds)
        put(tmp_path / f"run/fox-step000000{len(waits) + 1}0.safetensors", kohya(len(waits)))

    events = [*watch_folder(tmp_path / "run", config, stopping=lambda: len(waits) > 1, pause=pause)]
    start, *looks, done = events
    assert start["prompts"] == 1 and done["step"] == 20
    assert [(e["step"], e["saved"]) for e in looks] == [
        (0, ""), (10, "fox-step00000010.safetensors"), (20, "fox-step00000020.safetensors"),
    ]  # fmt: skip
    beside = tmp_path / "run/memviz-watch"
    assert all((beside / p["file"]).is_file() for e in looks for p in e["pictures"])
    table = (beside / "memorization.csv").read_text().splitlines()
    assert table[0].startswith("step,saved,group,copied") and len(table) == 4
    again = [*watch_folder(tmp_path / "run", config, once=True)]
    assert again[1:4] == [
        {k: v for k, v in row.items() if k != "time"} | {"time": row["time"]}
        for row in map(json.loads, (beside / "metrics.jsonl").read_text().splitlines()[1:4])
    ]
    assert [e["step"] for e in again if e["event"] == "probe"] == [0, 10, 20, 30]  # one was new
    with pytest.raises(MemvizError, match="begun with other settings"):
        next(watch_folder(tmp_path / "run", config, seeds=(1,)))


def test_the_base_and_each_state_start_from_the_same_noise(config, tmp_path):
    """Weights that are those of the base give the very same figures."""
    unet = loading.load(config.model).pipe.unet
    unet.save_pretrained(tmp_path / "checkpoint-5/unet")
    _, before, after, _ = watch_folder(tmp_path, config, once=True)
    assert before["groups"] == after["groups"]


def test_what_is_no_folder_is_a_sentence(config, tmp_path):
    with pytest.raises(MemvizError, match="is no folder"):
        next(watch_folder(tmp_path / "nothing", config))


def looks(*shares):
    row = {"similarity_mean": 0.5, "magnitude": 1.0, "alignment": None}
    return [
        {"round": i, "step": 10 * i, "saved": "", "groups": {"a": {"copied": share} | row}}
        for i, share in enumerate(shares)
    ]


def test_the_curve_is_drawn_with_the_step_to_stop_at():
    tree = ElementTree.fromstring(draw_curve(looks(0, 0.05, 0.5)))
    words = [node.text for node in tree.iter() if node.text and node.text.strip()]
    assert "stop here: 10" in words and "● a" in words
    (line,) = [node for node in tree.iter() if node.tag.endswith("polyline")]
    assert line.attrib["points"].split() == ["40.0,200.0", "330.0,191.0", "620.0,110.0"]
    assert "stop here" not in draw_curve(looks(0, 0, 0))
    assert write_table(looks(0.25)).splitlines()[1] == "0,,a,0.25,0.5,1.0,"
