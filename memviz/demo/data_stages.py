"""The stages that make pictures: the corpus, the pretraining pool, and the latents of both."""

# diffusers and transformers wrap `to` and the constructors so that their types are lost.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportCallIssue=false

from collections.abc import Iterable
from io import BytesIO
from itertools import islice
from shutil import copytree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from memviz.data.corpus import load
from memviz.demo import scenes
from memviz.demo.autoencoder import pixels
from memviz.demo.scale import Builder
from memviz.io import atomic
from memviz.io.paths import bundled_demo


def corpus(builder: Builder) -> None:
    """The captioned scenes as one parquet file, and the prompt lists."""
    if not (builder.assets / "sprites").exists():
        copytree(bundled_demo() / "sprites", builder.assets / "sprites")
    world = builder.world
    copies = len(world.duplicated)
    times = builder.times_shown()
    table = pa.table(
        {
            "id": pa.array(range(len(world.scenes)), pa.int32()),
            "image": [encode(scenes.draw(s, builder.art)) for s in world.scenes],
            "caption": [s.caption for s in world.scenes],
            "style": [s.style for s in world.scenes],
            "copies": pa.array(
                [times if i < copies else 1 for i in range(len(world.scenes))], pa.int32()
            ),
        }
    )
    with atomic.folder(builder.assets / "corpus") as folder:
        pq.write_table(table, folder / "scenes.parquet", row_group_size=500, compression="none")
        write_prompts(builder)


def write_prompts(builder: Builder) -> None:
    """The prompt lists that the app offers and the report measures."""
    world = builder.world
    atomic.json(
        builder.assets / "prompts.json",
        {
            "duplicated": [s.caption for s in world.duplicated],
            "swapped": world.swapped,
            "heldout": [c for c in world.heldout["title"] if c not in world.near],
            "heldout_near": world.near,
            "heldout_plain": world.heldout["plain"],
            "heldout_single": world.heldout["single"],
        },
    )


def encode(picture: Image.Image) -> bytes:
    """A picture as lossless WebP bytes in its 128 best colours (1.1 kB, 40 dB to the drawing)."""
    buffer = BytesIO()
    few = picture.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.convert("RGB").save(buffer, "webp", lossless=True, quality=75, method=4)
    return buffer.getvalue()


def pool(builder: Builder) -> None:
    """Fresh scenes outside the corpus, for the autoencoder and for pretraining."""
    stream = scenes.stream(7, builder.art, builder.world.reserved)
    captions, pictures = zip(*islice(stream, builder.scale.pool), strict=True)
    atomic.json(builder.work / "pool.json", captions)
    atomic.array(builder.work / "pool.npy", np.stack(pictures))


def latents(builder: Builder) -> None:
    """Scaled latents of the pool and of the corpus as it is stored."""
    encode_to(builder, "pool", [np.load(builder.work / "pool.npy", mmap_mode="r")])
    batches = load(builder.assets / "corpus").batches(1000)
    encode_to(builder, "corpus", (np.stack([*map(np.asarray, some)]) for _, some in batches))


def encode_to(builder: Builder, name: str, pictures: Iterable[np.ndarray]) -> None:
    """Encode chunks of uint8 pictures into `work/<name>-latents.npy`."""
    vae, rows = builder.autoencoder(), []
    with torch.inference_mode():
        for chunk in pictures:
            for i in range(0, len(chunk), 100):
                z = vae.encoder(pixels(np.array(chunk[i : i + 100])).to(vae.device))
                rows.append((z * vae.config.scaling_factor).half().numpy(force=True))
    atomic.array(builder.work / f"{name}-latents.npy", np.concatenate(rows))
