"""Checkpoints as people have them: whole files, half copies, LoRAs, what a training left."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from memviz.models import files, loading
from tests.support import original, tiny

WEIGHTS = "diffusion_pytorch_model.safetensors"


def latents(pipe: object) -> torch.Tensor:
    noise = torch.Generator().manual_seed(0)
    return pipe("a fox", num_inference_steps=3, generator=noise, output_type="latent").images


def same(one: object, other: object) -> bool:
    """Up to rounding; latents of a random network may be large."""
    a, b = latents(one), latents(other)
    return bool((a - b).norm() < 1e-4 * b.norm())


# whole files


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny pipeline, other weights, in one file."""
    folder = tmp_path_factory.mktemp("whole")
    return original.write(tiny.pipeline(seed=1), folder / "mine.safetensors")


def test_a_file_of_a_whole_model_takes_tokenizer_and_configs_of_a_pipeline(
    tiny_model: Path, whole: Path
) -> None:
    model = loading.load(f"{tiny_model}+{whole}")
    assert same(model.pipe, tiny.pipeline(seed=1))
    assert not same(model.pipe, loading.load(str(tiny_model)).pipe)
    assert model.folder == tiny_model and loading.load(model.path).hash == model.hash
    networks = (model.pipe.unet, model.pipe.vae, model.pipe.text_encoder)
    assert model.parameters == sum(p.numel() for part in networks for p in part.parameters())


def test_a_file_alone_asks_for_the_small_files_of_its_kind(whole: Path) -> None:
    with pytest.raises(loading.ModelError, match=r"CompVis/stable-diffusion-v1-4 is not on this"):
        loading.load(str(whole))


def test_a_registered_name_may_stand_for_a_file(home: Path, tiny_model: Path, whole: Path) -> None:
    entries = {"mine": f"{tiny_model}+{whole}"}
    (home / "config.json").write_text(json.dumps({"models": entries}))
    found = loading.load("mine").hash, loading.find("mine").path
    (home / "config.json").unlink()
    assert found == (loading.load(f"{tiny_model}+{whole}").hash, entries["mine"])


def changed(file: Path, out: Path, change: dict[str, torch.Tensor]) -> Path:
    save_file(load_file(file) | change, out)
    return out


def test_a_file_for_inpainting_is_refused(tmp_path: Path, tiny_model: Path, whole: Path) -> None:
    first = "model.diffusion_model.input_blocks.0.0.weight"
    file = changed(whole, tmp_path / "in.safetensors", {first: torch.zeros(32, 9, 3, 3)})
    with pytest.raises(loading.ModelError, match="reads 9 channels, not 4: it is made for inpaint"):
        loading.load(f"{tiny_model}+{file}")


def test_a_file_of_another_architecture_is_refused(
    tmp_path: Path, tiny_model: Path, whole: Path
) -> None:
    xl = {"conditioner.embedders.1.model.logit_scale": torch.ones(1)}
    file = changed(whole, tmp_path / "xl.safetensors", xl)
    with pytest.raises(loading.ModelError, match="is a StableDiffusionXLPipeline, and"):
        loading.load(f"{tiny_model}+{file}")
    save_file({"weight": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(loading.ModelError, match=r"no whole Stable Diffusion model.*'weight'"):
        loading.load(f"{tiny_model}+{tmp_path / 'other.safetensors'}")


def test_two_whole_files_are_one_too_many(tiny_model: Path, whole: Path) -> None:
    with pytest.raises(loading.ModelError, match="two whole models"):
        loading.load(f"{tiny_model}+{whole}+{whole}")


# half copies


def test_a_folder_with_half_copies_alone_is_read(tmp_path: Path, tiny_model: Path) -> None:
    made = tiny.pipeline().to(torch.float16)
    made.save_pretrained(tmp_path / "half", variant="fp16")
    assert not (tmp_path / "half/unet" / WEIGHTS).exists()
    half, full = loading.load(str(tmp_path / "half")), loading.load(str(tiny_model))
    assert half.pipe.unet.dtype == torch.float32 and half.parameters == full.parameters
    assert torch.allclose(latents(half.pipe), latents(full.pipe), atol=0.05)
    unet = loading.load(f"{tiny_model}+{tmp_path / 'half'}")
    assert unet.hash not in (half.hash, full.hash)


def test_whole_copies_go_before_half_ones(tmp_path: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "both")
    tiny.pipeline(seed=1).to(torch.float16).save_pretrained(tmp_path / "both", variant="fp16")
    both, full = loading.load(str(tmp_path / "both")), loading.load(str(tiny_model))
    assert both.hash == full.hash and same(both.pipe, full.pipe)


# LoRA


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What diffusers' trainers leave: a folder with a LoRA of the tiny UNet."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    folder, pipe = tmp_path_factory.mktemp("lora"), tiny.pipeline()
    torch.manual_seed(2)
    config = LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_v"])
    pipe.unet.add_adapter(config)
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.unet))
    StableDiffusionPipeline.save_lora_weights(folder, layers)
    return folder / files.LORA


@pytest.mark.parametrize("strength", [1, 0.5])
def test_a_lora_equals_diffusers_own(tiny_model: Path, lora: Path, strength: float) -> None:
    model = loading.load(f"{tiny_model}+{lora}:{strength}")
    stock = tiny.pipeline()
    stock.load_lora_weights(str(lora.parent), weight_name=lora.name)
    stock.set_adapters(stock.get_active_adapters(), strength)
    assert same(model.pipe, stock)
    assert not same(model.pipe, tiny.pipeline())


def test_a_lora_and_its_strength_are_part_of_the_hash(tiny_model: Path, lora: Path) -> None:
    names = (f"{tiny_model}", f"{tiny_model}+{lora}", f"{tiny_model}+{lora}:0.5")
    made = [loading.load(name) for name in names]
    assert len({model.hash for model in made}) == 3
    assert loading.load(f"{tiny_model}+{lora.parent}").hash == made[1].hash  # a trainer's folder
    assert loading.load(made[2].path).hash == made[2].hash
    twice = loading.load(f"{tiny_model}+{lora}:0.5+{lora}:0.5")
    assert same(twice.pipe, made[1].pipe)


def test_a_lora_of_another_model_is_refused(tmp_path: Path, tiny_model: Path, lora: Path) -> None:
    wide = {name: torch.cat([v, v], -1) for name, v in load_file(lora).items()}
    save_file(wide, tmp_path / "wide.safetensors")
    with pytest.raises(loading.ModelError, match="does not fit the model"):
        loading.load(f"{tiny_model}+{tmp_path / 'wide.safetensors'}")


# what a training left, and what is missing


def test_what_a_training_left_says_how_it_is_given(
    tmp_path: Path, tiny_model: Path, lora: Path
) -> None:
    shutil.copytree(tiny_model / "unet", tmp_path / "checkpoint-500/unet")
    (tmp_path / "checkpoint-500/optimizer.bin").touch()
    with pytest.raises(loading.ModelError, match=r"PIPE\+.*checkpoint-500"):
        loading.load(str(tmp_path / "checkpoint-500"))
    assert loading.load(f"{tiny_model}+{tmp_path / 'checkpoint-500'}").parameters
    with pytest.raises(loading.ModelError, match=r"holds a LoRA .*BASE\+"):
        loading.load(str(lora.parent))


def test_a_missing_tokenizer_is_said(tmp_path: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "m", ignore=shutil.ignore_patterns("tokenizer"))
    with pytest.raises(loading.ModelError, match="no tokenizer, so prompts cannot be read"):
        loading.load(str(tmp_path / "m"))


@pytest.mark.parametrize("left", [0.5, 0.999])
def test_a_file_that_is_cut_short_is_said(tmp_path: Path, tiny_model: Path, left: float) -> None:
    shutil.copytree(tiny_model, tmp_path / "m")
    file = tmp_path / "m/unet" / WEIGHTS
    data = file.read_bytes()
    file.write_bytes(data[: int(left * len(data))])
    with pytest.raises(loading.ModelError, match=r"is cut short: .* bytes\. Fetch it again"):
        loading.load(str(tmp_path / "m"))


def test_a_unet_for_inpainting_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    config = dict(tiny.unet().config) | {"in_channels": 9}
    type(tiny.unet()).from_config(config).save_pretrained(tmp_path / "unet")
    with pytest.raises(loading.ModelError, match="5 beside the latents: it is made for inpainting"):
        loading.load(f"{tiny_model}+{tmp_path / 'unet'}")


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt"])
def test_a_pickle_is_refused_unopened(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"never opened")
    with pytest.raises(loading.ModelError, match="is a pickle, which can run code"):
        loading.load(str(tmp_path / name))
