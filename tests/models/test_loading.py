"""Names to pipelines: what loads, what it is identified by, and one sentence for each failure."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import errors
from safetensors.torch import load_file, save_file

from memviz.io import hashing
from memviz.models import files, hub, loading
from tests.support import tiny


def image(pipe: object, steps: int) -> np.ndarray:
    noise = torch.Generator().manual_seed(0)
    made = pipe("a fox", num_inference_steps=steps, generator=noise, output_type="np")
    return made.images[0]


# loading


@pytest.mark.parametrize("vae", ["kl", "tiny"])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_a_saved_folder_loads_and_samples(tmp_path: Path, vae: str, prediction: str) -> None:
    model = loading.load(str(tiny.build(tmp_path / "m", vae, prediction)))
    assert model.pipe.unet.dtype == torch.float32
    assert model.pipe.scheduler.config.prediction_type == prediction
    assert np.isfinite(image(model.pipe, 2)).all()


def test_weights_saved_in_half_precision_load_as_float32(tmp_path: Path, tiny_model: Path) -> None:
    tiny.pipeline().to(torch.float16).save_pretrained(tmp_path / "half")
    half, full = loading.load(str(tmp_path / "half")), loading.load(str(tiny_model))
    assert half.pipe.unet.dtype == half.pipe.vae.dtype == torch.float32
    pairs = zip(half.pipe.unet.parameters(), full.pipe.unet.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in pairs)


def test_parameters_are_those_of_the_loaded_networks(tiny_model: Path) -> None:
    model = loading.load(str(tiny_model))
    parts = (model.pipe.unet, model.pipe.vae, model.pipe.text_encoder)
    assert model.parameters == sum(p.numel() for part in parts for p in part.parameters())


def test_networks_are_channels_last_and_frozen(tiny_model: Path) -> None:
    weight = loading.load(str(tiny_model)).pipe.unet.conv_in.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.requires_grad


@pytest.fixture(scope="module")
def other_unet(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The tiny UNet with its last bias moved."""
    folder = tmp_path_factory.mktemp("unet") / "other"
    shutil.copytree(tiny_model / "unet", folder)
    state = load_file(folder / "diffusion_pytorch_model.safetensors")
    state["conv_out.bias"] += 1
    save_file(state, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    return folder


def test_a_separate_unet_takes_the_place_of_the_pipelines_own(
    tiny_model: Path, other_unet: Path
) -> None:
    plain = loading.load(str(tiny_model))
    for other in (
        loading.load(str(tiny_model), unet=str(other_unet)),
        loading.load(f"{tiny_model}+{other_unet}"),
    ):
        moved = other.pipe.unet.conv_out.bias - plain.pipe.unet.conv_out.bias
        assert torch.allclose(moved, torch.ones(4))
        assert other.hash != plain.hash
        assert other.parameters == plain.parameters


def test_a_unet_may_be_given_as_the_folder_that_holds_it(tiny_model: Path) -> None:
    assert loading.load(f"{tiny_model}+{tiny_model}").hash == loading.load(str(tiny_model)).hash


# identity


def test_hash_follows_contents_not_places(tmp_path: Path, tiny_model: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model, copy)
    before = loading.load(str(copy)).hash
    assert before == loading.load(str(tiny_model)).hash
    (copy / "vae/diffusion_pytorch_model.safetensors").write_bytes(
        (tiny_model / "unet/diffusion_pytorch_model.safetensors").read_bytes()
    )
    assert hashing.files_hash(files.weights(copy)) != before


def test_known_lists_each_named_model_with_its_identity(
    home: Path, tiny_model: Path, other_unet: Path
) -> None:
    entries = {"mine": str(tiny_model), "tuned": f"{tiny_model}+{other_unet}"}
    (home / "config.json").write_text(json.dumps({"models": entries}))
    rows = {row["name"]: row for row in loading.known()}
    (home / "config.json").unlink()
    assert {"demo", "demo-pretrained", "sd-1.4", "sd-2.1", "mine", "tuned"} <= set(rows)
    assert all(set(row) == {"name", "path", "parameters", "hash"} for row in rows.values())
    loaded = loading.load(rows["tuned"]["path"])
    assert (rows["tuned"]["hash"], rows["tuned"]["parameters"]) == (loaded.hash, loaded.parameters)
    assert rows["sd-1.4"]["hash"] is None


def test_a_registered_name_loads(home: Path, tiny_model: Path) -> None:
    entries = {"mine": str(tiny_model), "demo": "/elsewhere"}
    (home / "config.json").write_text(json.dumps({"models": entries}))
    found = loading.load("mine"), loading.find("demo")
    (home / "config.json").unlink()
    assert found[0].name == "mine"
    assert "assets" in found[1].path  # a bundled name cannot be taken


# failures


@pytest.mark.parametrize(
    "text", ["/no/such", "./x", "../x/y", "~/x", "a/b/c", "out\\model", "weights/", "/x+/y"]
)
def test_a_missing_folder_fails_at_once_and_asks_no_hub(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "fetch", lambda *_, **__: pytest.fail("asked the hub"))
    started = time.perf_counter()
    with pytest.raises(loading.ModelError, match="No such folder"):
        loading.load(text)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["CompVis/stable-diffusion-v1-4", "some-one/a_model.v2"])
def test_owner_and_name_is_a_hub_id(text: str) -> None:
    assert not loading.is_path(text)


def test_an_existing_folder_beats_a_hub_id(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_model, tmp_path / "runs/model")
    monkeypatch.chdir(tmp_path)
    assert loading.is_path("runs/model")
    assert loading.load("runs/model").parameters


@pytest.mark.parametrize("text", ["nope", "", "a" * 5000, "a\0b", "sd 1.4"])
def test_an_unknown_name_is_told_the_known_ones(text: str) -> None:
    with pytest.raises(loading.ModelError, match=r"No model is named .*demo.*sd-1\.4"):
        loading.load(text)


def test_no_network_is_said() -> None:
    with pytest.raises(loading.ModelError, match="cannot be reached"):
        loading.load("CompVis/stable-diffusion-v1-4")
    with pytest.raises(loading.ModelError, match=r"Tried sd2-community/.*stabilityai/"):
        loading.load("sd-2.1")


def test_a_folder_without_an_index_is_no_pipeline(tiny_model: Path) -> None:
    with pytest.raises(loading.ModelError, match=r"no model_index\.json"):
        loading.load(str(tiny_model / "unet"))


def test_a_file_is_no_pipeline(tiny_model: Path) -> None:
    with pytest.raises(loading.ModelError, match="is a file"):
        loading.load(str(tiny_model / "model_index.json"))


@pytest.mark.parametrize("text", ['{"_class_name": "FluxPipeline"}', "{}"])
def test_another_class_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "model_index.json").write_text(text)
    with pytest.raises(loading.ModelError, match=r"holds a .*StableDiffusionPipeline"):
        loading.load(str(tmp_path))


def test_a_broken_index_is_said(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text("{")
    with pytest.raises(loading.ModelError, match="cannot be read"):
        loading.load(str(tmp_path))


def test_weights_other_than_safetensors_are_refused(tmp_path: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "m")
    weights = tmp_path / "m/unet/diffusion_pytorch_model.safetensors"
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(loading.ModelError, match="safetensors form"):
        loading.load(str(tmp_path / "m"))


@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64, b"\x02" + b"\0" * 7 + b"{]"])
def test_broken_weights_are_said(tmp_path: Path, tiny_model: Path, data: bytes) -> None:
    shutil.copytree(tiny_model, tmp_path / "m")
    (tmp_path / "m/vae/diffusion_pytorch_model.safetensors").write_bytes(data)
    with pytest.raises(loading.ModelError):
        loading.load(str(tmp_path / "m"))


def test_a_unet_of_another_width_is_refused(tmp_path: Path, tiny_model: Path) -> None:
    config = dict(tiny.unet().config) | {"cross_attention_dim": 16}
    type(tiny.unet()).from_config(config).save_pretrained(tmp_path / "unet")
    with pytest.raises(loading.ModelError, match="fine-tuned from this pipeline"):
        loading.load(str(tiny_model), unet=str(tmp_path / "unet"))


def test_a_device_that_is_not_there_is_said(tiny_model: Path) -> None:
    for device in ("cuda:7", "toaster"):
        with pytest.raises(loading.ModelError, match=f"'{device}' cannot be used"):
            loading.load(str(tiny_model), device=device)


def test_too_little_memory_is_said(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(loading, "_placed", full)
    with pytest.raises(loading.ModelError, match="Not enough memory"):
        loading.load(str(tiny_model))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (errors.GatedRepoError, "accept its terms"),
        (errors.RepositoryNotFoundError, "not on the hub"),
        (errors.RemoteEntryNotFoundError, "not a pipeline"),
        (errors.OfflineModeIsEnabled, "cannot be reached"),
        (errors.LocalEntryNotFoundError, "cannot be reached"),
        (ConnectionError, "cannot be reached"),
        (RuntimeError, "could not be fetched"),
    ],
)
def test_each_failure_of_the_hub_has_its_sentence(kind: type[Exception], words: str) -> None:
    error = kind.__new__(kind)  # the hub's own constructors want a response
    Exception.__init__(error, "because")
    assert words in hub.explain("owner/name", error)
    outer = OSError("wrapped")
    outer.__cause__ = error
    assert words in hub.explain("owner/name", outer)
