"""CLIP scores against the library's own, and what is said of a folder that holds none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from memviz.guidance.model_defaults import model_settings
from memviz.retrieval.clip import AlignmentError, Clip
from memviz.retrieval.clip_choice import choose_clip
from tests.support import tiny
from tests.support.samples import smooth


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random CLIP with the tiny tokenizer."""
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    words = tiny.tokenizer()
    ends = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id}
    config = CLIPConfig(
        text_config={**small, **ends, "vocab_size": len(words), "num_attention_heads": 4},
        vision_config={**small, "image_size": 32, "patch_size": 8, "num_attention_heads": 4},
        projection_dim=16,
    )
    folder = tmp_path_factory.mktemp("clip")
    CLIPModel(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def test_scores_equal_the_librarys_own_logits(clip: Path) -> None:
    images, prompts = [smooth(i, (96, 48)) for i in range(3)], ["a fox", "a cactus and a moon", "é"]
    model = CLIPModel.from_pretrained(clip).eval().requires_grad_(False)
    prepare = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32)
    inputs = prepare(images, return_tensors="pt")
    tokens = tiny.tokenizer()(prompts, padding=True, return_tensors="pt")
    out = model(**tokens, **inputs)
    expected = (out.logits_per_image / model.logit_scale.exp()).numpy()
    assert np.allclose(Clip(clip).table(images, prompts), expected, atol=1e-5)
    assert np.allclose(Clip(clip).score(images, prompts), np.diag(expected), atol=1e-5)


def test_a_score_does_not_depend_on_its_batch(clip: Path) -> None:
    loaded = Clip(clip)
    images, prompts = [smooth(0), smooth(1)], ["a fox", "a much longer prompt than the other one"]
    together = loaded.score(images, prompts)
    alone = [loaded.score([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    assert np.allclose(together, alone, atol=1e-5)


def test_long_prompts_are_cut_and_odd_ones_score(clip: Path) -> None:
    loaded = Clip(clip)
    scores = loaded.score([smooth(0)] * 3, ["word " * 5000, "", "🦊 狐 <b>"])
    assert np.isfinite(scores).all()


def test_a_models_own_mean_and_deviation_are_used(tmp_path: Path, clip: Path) -> None:
    shutil.copytree(clip, tmp_path / "own")
    stated = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (tmp_path / "own/preprocessor_config.json").write_text(json.dumps(stated))
    assert Clip(tmp_path / "own").preprocess.std == (0.25, 0.25, 0.25)
    assert Clip(clip).preprocess.mean[0] == pytest.approx(0.48145466)


@pytest.mark.parametrize(
    ("name", "own", "found"),
    [
        ("auto", {"clip": "demo"}, "demo"),
        ("auto", {}, ""),
        ("none", {"clip": "demo"}, ""),
        ("vit-g-14", {"clip": "demo"}, "laion/CLIP-ViT-g-14-laion2B-s12B-b42K"),
        ("a/place", {}, "a/place"),
    ],
)
def test_a_name_means_one_clip(name: str, own: dict[str, str], found: str) -> None:
    assert choose_clip(name, own) == found


def test_a_unet_of_ones_own_does_not_bring_the_pipelines_clip(tmp_path: Path) -> None:
    pipeline, unet = tmp_path / "pipe", tmp_path / "trained/model/unet"
    pipeline.mkdir()
    unet.mkdir(parents=True)
    (pipeline / "memviz.json").write_text('{"clip": "demo", "methods": {"cfg": "scale=2"}}')
    assert "clip" in model_settings(str(pipeline))
    assert "clip" not in model_settings(f"{pipeline}+{unet}")
    (unet.parent / "memviz.json").write_text('{"clip": "vit-b-16"}')
    assert model_settings(f"{pipeline}+{unet}")["clip"] == "vit-b-16"


def test_pictures_and_prompts_come_in_pairs(clip: Path) -> None:
    with pytest.raises(ValueError, match="1 pictures and 2 prompts"):
        Clip(clip).score([smooth(0)], ["a", "b"])


def test_what_is_no_clip_is_said(tmp_path: Path) -> None:
    with pytest.raises(AlignmentError, match="No such folder"):
        Clip(tmp_path / "nope")
    with pytest.raises(AlignmentError, match="is not a CLIP model"):
        Clip(tmp_path)
    with pytest.raises(AlignmentError, match="cannot be reached"):
        Clip("openai/clip-vit-base-patch16")
