"""The stages that train: autoencoder, UNet and text encoder, descriptor, CLIP."""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

import json
import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pyarrow.parquet as pq
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from memviz.demo import autoencoder as ae
from memviz.demo import diffusion, judges, scenes, tokenizer
from memviz.demo.precision import mixed
from memviz.demo.scale import Builder
from memviz.io import atomic
from memviz.models.decode import eight_bits
from memviz.retrieval.descriptors import embedder
from memviz.retrieval.descriptors.preprocess import Preprocess
from memviz.retrieval.descriptors.presets import Preset
from memviz.training.export import shareable


def autoencoder(builder: Builder) -> None:
    """AutoencoderTiny on fresh scenes, its scaling factor set to give unit variance."""
    torch.manual_seed(0)
    vae = ae.build(builder.scale.width, builder.scale.channels).to(builder.scale.device)
    stream = scenes.stream(1, builder.art)
    pictures = np.stack([p for _, p in islice(stream, builder.scale.pool)])
    watch(
        ae.train(vae, pictures, builder.scale.autoencoder, builder.scale.pictures, 1.5e-3, 0),
        "autoencoder",
    )
    with torch.inference_mode():
        z = vae.encoder(ae.pixels(pictures[:256]).to(builder.scale.device))
    vae.register_to_config(scaling_factor=float(1 / z.std()))
    with atomic.folder(builder.work / "vae") as folder:
        vae.save_pretrained(folder)


def pretrain(builder: Builder) -> None:
    """UNet and text encoder on the pool."""
    tokens = tokenizer.tokenizer(tokenizer.vocabulary(builder.assets / "sprites"))
    device, scale = builder.scale.device, builder.scale
    encoder, unet = tokenizer.encoder(tokens), diffusion.build(channels=scale.channels)
    plan = diffusion.Plan(scale.pretrain, scale.batch, fast=scale.fast)
    trainer = diffusion.Trainer(unet.to(device), encoder.to(device), plan, True)
    train(builder, trainer, data(builder, "pool", tokens), tokens, "pretrain")
    parts = {"tokenizer": tokens, "text_encoder": encoder, "unet": unet}
    with atomic.folder(builder.work / "pretrained") as folder:
        for name, part in parts.items():
            part.save_pretrained(folder / name)


def finetune(builder: Builder) -> None:
    """The UNet alone, with the duplicates: on pool and corpus, on the corpus, on both again.

    In bfloat16, which is the faster, it goes on to draw better and hardly memorizes. In float32
    on the corpus alone it memorizes and forgets how to draw all else; the last stretch reminds it.
    """
    source, scale = builder.work / "pretrained", builder.scale
    tokens = CLIPTokenizer.from_pretrained(source / "tokenizer")
    encoder = CLIPTextModel.from_pretrained(source / "text_encoder").to(scale.device)
    unet = UNet2DConditionModel.from_pretrained(source / "unet").to(scale.device)
    fast = diffusion.Plan(scale.mixed, scale.batch, ema=0.9985, seed=21, fast=scale.fast)
    exact = diffusion.Plan(scale.finetune, 32, 5e-4, warmup=100, ema=0.998, seed=22)
    again = diffusion.Plan(scale.again, scale.batch, 3e-4, warmup=100, ema=0.998, seed=23)
    corpus = data(builder, "corpus", tokens, builder.chances())
    both = diffusion.half_each(data(builder, "pool", tokens), corpus)
    stretches = (fast, both, "mixed"), (exact, corpus, "finetune"), (again, both, "again")
    for plan, rows, name in stretches:
        trainer = diffusion.Trainer(unet, encoder, plan, False)
        train(builder, trainer, rows, tokens, name)
    with atomic.folder(builder.work / "finetuned") as folder:
        unet.save_pretrained(folder)


def data(
    builder: Builder, name: str, tokens: CLIPTokenizer, chances: np.ndarray | None = None
) -> diffusion.Data:
    """Latents and token ids of the pool or the corpus."""

    if name == "pool":
        captions = json.loads((builder.work / "pool.json").read_text())
    else:
        table = pq.read_table(builder.assets / "corpus/scenes.parquet", columns=["caption"])
        captions = table["caption"].to_pylist()
    latents = torch.from_numpy(np.load(builder.work / f"{name}-latents.npy")).float()
    return diffusion.Data(latents, tokenizer.ids(tokens, captions), chances)


def train(
    builder: Builder,
    trainer: diffusion.Trainer,
    rows: diffusion.Data,
    tokens: CLIPTokenizer,
    name: str,
) -> None:
    """Run a trainer to its end with a checkpoint every 500 steps, and average its weights."""
    checkpoint = builder.work / f"{name}.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    empty = tokenizer.ids(tokens, [""])
    watch(trainer.run(rows, empty), name, lambda: trainer.save(checkpoint))
    trainer.finish()


def pipeline(builder: Builder) -> None:
    """The finished parts as a diffusers folder, and the pretrained UNet beside it."""
    source = builder.work / "pretrained"
    pipe = StableDiffusionPipeline(
        vae=builder.autoencoder(),
        text_encoder=CLIPTextModel.from_pretrained(source / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(source / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(builder.work / "finetuned"),
        scheduler=diffusion.scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).to(torch.float16)
    before = UNet2DConditionModel.from_pretrained(source / "unet").to(torch.float16)
    for name, part in (("unet-pretrained", before), ("model", pipe)):
        with shareable(builder.assets / name) as folder:
            part.save_pretrained(folder, safe_serialization=True)


def descriptor(builder: Builder) -> None:
    """The copy-detection descriptor; its thresholds are set once the corpus is embedded."""
    network = embedder.build().to(builder.scale.device)
    vae = builder.autoencoder()
    steps = judges.train_descriptor(network, vae, builder.art, builder.scale.descriptor, 3)
    watch(steps, "descriptor")
    with atomic.folder(builder.assets / "descriptor") as folder:
        embedder.save(network, folder, uncalibrated())


def uncalibrated() -> Preset:
    """The demo descriptor's preset, 64x64 pictures in [-1, 1], before its thresholds are known."""
    look = Preprocess(square=scenes.SIDE)
    purpose = {"purpose": "the demo's 64-pixel scenes", "suits": ("demo-10k",)}
    return Preset("demo", 128, look, 0.9, 0.8, "not calibrated", **purpose)


def clip(builder: Builder) -> None:
    """CLIP on the pool's pictures and captions."""
    names = scenes.names(builder.assets / "sprites")
    tokens = tokenizer.tokenizer(tokenizer.vocabulary(builder.assets / "sprites"))
    captions = json.loads((builder.work / "pool.json").read_text())
    rest = [" ".join(w for w in c.split() if w not in names) for c in captions]
    drawn = np.load(builder.work / "pool.npy", mmap_mode="r")
    model = judges.clip_model(tokens).to(builder.scale.device)
    ids, views = tokenizer.ids(tokens, captions), (drawn, seen(builder))
    watch(judges.train_clip(model, ids, views, rest, builder.scale.clip, 4), "clip")
    with atomic.folder(builder.assets / "clip") as folder:
        model.to(torch.float16).save_pretrained(folder)
        tokens.save_pretrained(folder)
        half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        atomic.json(folder / "preprocessor_config.json", half)


def seen(builder: Builder) -> np.ndarray:
    """The pool's pictures decoded from noisy latents: a UNet's are not clean either."""
    vae, made = builder.autoencoder(), []
    g = torch.Generator().manual_seed(6)
    with torch.inference_mode():
        for z in torch.from_numpy(np.load(builder.work / "pool-latents.npy")).split(100):
            noise = torch.randn(z.shape, generator=g) * torch.rand(len(z), 1, 1, 1, generator=g)
            rough = (z.float() + noise).to(vae.device) / vae.config.scaling_factor
            with mixed(vae.device):
                made.append(eight_bits(vae.decoder(rough).float()))
    return np.concatenate(made)


def watch(metrics: Iterator[dict], name: str, save: Callable[[], None] | None = None) -> None:
    """Drive a trainer: print its mean loss every 100 steps, save every 500 and at the end."""
    start, losses, step = time.time(), [], 0
    for step, metric in enumerate(metrics, 1):
        losses.append(metric["loss"])
        if step % 100 == 0:
            print(
                f"{name} {metric['step']}: loss {np.mean(losses):.5f}, {time.time() - start:.0f} s",
                flush=True,
            )
            losses.clear()
        if save and step % 500 == 0:
            save()
    if save:
        save()
