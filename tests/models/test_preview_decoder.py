"""A tiny decoder beside the model's own: found, fitted, and used for the estimates only."""

import json
import shutil
from contextlib import closing

import pytest
import torch
from PIL import Image

from memviz.comparison.compare import compare
from memviz.models import decode, hub, loading, preview_decoder
from memviz.models.files import ModelError
from memviz.models.loading import Model
from memviz.models.preview_decoder import PreviewDecoder, choose_decoder, fit_linear
from memviz.runs import store
from tests.support import tiny, world


def as_model(pipe, name="0" * 64):
    return Model("tiny", "", pipe, name, 0)


@pytest.fixture(scope="module")
def model():
    return as_model(tiny.pipeline())  # with an AutoencoderKL, as Stable Diffusion


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taesd")
    tiny.tiny_autoencoder().save_pretrained(folder)
    return folder


@pytest.fixture
def large(monkeypatch, tmp_path):
    """A world in which the model's own decoder costs much, and no tiny one is on the machine."""
    monkeypatch.setattr(preview_decoder, "CHEAP", 0)
    monkeypatch.setenv("MEMVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def keep_in_hub(folder, cache):
    kept = cache / f"models--{hub.TAESD.replace('/', '--')}"
    shutil.copytree(folder, kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")


def test_a_decoder_is_loaded_from_a_folder_in_the_models_own_type(model, saved):
    found = choose_decoder(model, str(saved))
    network = found.network
    assert type(network).__name__ == "AutoencoderTiny" and network.dtype == model.pipe.vae.dtype
    assert str(saved) in found.describe()
    x = torch.randn(2, *tiny.LATENTS)
    with torch.inference_mode():
        wanted = network.decode(x / network.config.scaling_factor).sample.clamp(-1, 1)
    torch.testing.assert_close(decode.decode(model.pipe, x, vae=network), wanted)


def test_a_small_one_of_the_models_own_needs_no_other(model):
    assert choose_decoder(model) == PreviewDecoder("own")
    assert "the model's own" in choose_decoder(model).describe(7)


def test_without_a_tiny_one_a_linear_map_is_used_and_says_how_to_get_one(model, large):
    found = choose_decoder(model)
    assert found.kind == "linear" and f"--decoder {hub.TAESD}" in found.describe()
    other = tiny.pipeline()
    other.vae.register_to_config(scaling_factor=0.5)  # another family's latents
    assert "--decoder" not in choose_decoder(as_model(other)).describe()


def test_a_tiny_one_that_is_on_this_machine_is_used_unasked(model, saved, large):
    keep_in_hub(saved, large)
    found = choose_decoder(model)
    assert found.kind == hub.TAESD and hub.TAESD in found.describe()
    assert choose_decoder(model, "own").network is None


def test_it_is_fetched_along_with_named_models_which_work_without(monkeypatch, tmp_path):
    asked = []

    def fetch_part(repo):
        asked.append(repo)
        raise ModelError("no network")

    monkeypatch.setattr(hub, "fetch", lambda *args, **more: tmp_path)
    monkeypatch.setattr(hub, "fetch_part", fetch_part)
    assert loading.fetch(loading.find("sd-1.4")) == tmp_path and asked == [hub.TAESD]
    assert loading.fetch(loading.find("somebody/model")) == tmp_path and len(asked) == 1


def test_a_linear_map_is_found_again_from_what_it_decodes():
    draw = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 4, 16, 16, generator=draw)
    true = preview_decoder.LinearDecoder(4, 2)
    for weights in true.parameters():
        weights.copy_(torch.randn(weights.shape, generator=draw))
    pictures = true.decode(latents)[0]
    found = fit_linear(latents, pictures, 2)
    torch.testing.assert_close(found.decode(latents)[0], pictures, atol=1e-3, rtol=1e-3)


def test_the_linear_map_is_nearer_than_any_single_color_and_kept_with_the_hash(
    model, large, monkeypatch
):
    network = choose_decoder(model, "linear").network
    latents, pictures = preview_decoder.sample_estimates(model.pipe)
    error = (decode.decode(model.pipe, latents, vae=network) - pictures).square().mean()
    assert error < 0.5 * pictures.var((0, 2, 3)).mean()
    monkeypatch.setattr(preview_decoder, "sample_estimates", None)  # never again for this hash
    again = choose_decoder(model, "linear").network
    torch.testing.assert_close(again.map.weight, network.map.weight)
    with pytest.raises(TypeError):
        choose_decoder(as_model(model.pipe, "1" * 64), "linear")


def test_the_models_own_looks_at_every_kth_estimate():
    tiny_one = PreviewDecoder("linear", torch.nn.Identity())
    assert [i for i in range(9) if tiny_one.looks(i, 4)] == [3, 7]
    assert not any(tiny_one.looks(i, 0) for i in range(9))
    assert "one in 4" in tiny_one.describe(4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"latent_channels": 12}, "12 latent channels, the model 4"),
        ({"decoder_block_out_channels": [8, 8]}, "2 times the size, the model 4"),
        ({"_class_name": "AutoencoderKL"}, "names AutoencoderKL"),
    ],
)
def test_one_that_does_not_fit_is_refused(model, saved, tmp_path, change, sentence):
    other = shutil.copytree(saved, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match=sentence):
        choose_decoder(model, str(other))
    with pytest.raises(ModelError, match="No such folder"):
        choose_decoder(model, str(tmp_path / "nowhere"))


def test_it_decodes_the_steps_and_never_the_finished_picture(saved, tmp_path):
    small = world.build(tmp_path)
    given = {"own": {}, str(saved): {}, "linear": {"look_every": 2}}
    made = [finish(small.ask(decoder=name, **more)) for name, more in given.items()]
    pictures = [Image.open(run.folder / "images/0.png").tobytes() for run in made]
    assert pictures[0] == pictures[1] == pictures[2]
    own, small_one, linear = [similarities(run) for run in made]
    assert all(a != b for a, b in zip(own, small_one, strict=True))
    assert [a == b for a, b in zip(own, linear, strict=True)] == [False, True, False, True]
    assert str(saved) in made[1].record.decoder_note
    assert "one in 2" in made[2].record.decoder_note


def similarities(run):
    return [row["similarity"] for row in run.table().to_pylist() if row["cell"] == 0]


def finish(ask):
    with closing(compare(ask)) as progress:
        *_, last = progress
    return store.open_folder(last.snapshot().folder)
