"""A tiny decoder beside the model's own: found, fitted, and used for the estimates only."""

import json
import shutil
from contextlib import closing

import pytest
import torch
from PIL import Image

from memviz.comparison.compare import compare
from memviz.models import decode
from memviz.models.files import ModelError
from memviz.models.preview_decoder import USUAL, decoder
from memviz.runs import store
from tests.support import tiny, world


@pytest.fixture(scope="module")
def pipe():
    return tiny.pipeline()  # with an AutoencoderKL, as Stable Diffusion


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taesd")
    tiny.tiny_autoencoder().save_pretrained(folder)
    return folder


def test_a_decoder_is_loaded_from_a_folder_in_the_models_own_type(pipe, saved):
    found, note = decoder(pipe, str(saved))
    assert type(found).__name__ == "AutoencoderTiny" and found.dtype == pipe.vae.dtype
    assert str(saved) in note
    x = torch.randn(2, *tiny.LATENTS)
    with torch.inference_mode():
        wanted = found.decode(x / found.config.scaling_factor).sample.clamp(-1, 1)
    torch.testing.assert_close(decode.decode(pipe, x, vae=found), wanted)


def test_without_one_the_models_own_is_used_and_says_how_to_get_one(pipe, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    found, note = decoder(pipe)
    assert found is pipe.vae and f"--decoder {USUAL}" in note


def test_one_that_is_on_this_machine_is_used_unasked(pipe, saved, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / f"models--{USUAL.replace('/', '--')}"
    shutil.copytree(saved, kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    found, note = decoder(pipe)
    assert found is not pipe.vae and USUAL in note
    assert decoder(pipe, "own")[0] is pipe.vae


def test_a_model_whose_own_is_tiny_needs_no_other():
    small = tiny.pipeline(vae="tiny")
    assert decoder(small)[0] is small.vae


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"latent_channels": 12}, "12 latent channels, the model 4"),
        ({"decoder_block_out_channels": [8, 8]}, "2 times the size, the model 4"),
        ({"_class_name": "AutoencoderKL"}, "names AutoencoderKL"),
    ],
)
def test_one_that_does_not_fit_is_refused(pipe, saved, tmp_path, change, sentence):
    other = shutil.copytree(saved, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ModelError, match=sentence):
        decoder(pipe, str(other))
    with pytest.raises(ModelError, match="No such folder"):
        decoder(pipe, str(tmp_path / "nowhere"))


def test_it_decodes_the_steps_and_never_the_finished_picture(saved, tmp_path):
    small = world.build(tmp_path)
    made = [finish(small.ask(decoder=name)) for name in ("own", str(saved))]
    pictures = [Image.open(run.folder / "images/0.png").tobytes() for run in made]
    assert pictures[0] == pictures[1]
    nearest = [run.table()["similarity"].to_pylist() for run in made]
    assert nearest[0] != nearest[1]
    assert str(saved) in made[1].record.decoder_note


def finish(ask):
    with closing(compare(ask)) as progress:
        *_, last = progress
    return store.open_folder(last.snapshot().folder)
