"""The demo's two judges: a copy-detection descriptor and a CLIP, both trained contrastively.

The descriptor's objective is SSCD's (Pizzi et al., CVPR 2022): edited copies of one picture
together, all others apart, spread by an entropy term. Half of each batch shows the same things
on the same background in other places, so that a likeness of content is not taken for a copy.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from memviz.demo import scenes, tokenizer
from memviz.demo.augmentations import colour, edited, uniform, zoom
from memviz.demo.autoencoder import pixels
from memviz.demo.precision import mixed

TEMPERATURE = 0.07
ENTROPY = 0.5  # weight of SSCD's spreading term


def moved(rng: np.random.Generator, scene: scenes.Scene) -> scenes.Scene:
    """The same things on the same background, elsewhere."""
    names = [s.name for s in scene.sprites]
    again = scenes.pair(rng, *names) if len(names) == 2 else (scenes.single(rng, *names),)
    return replace(scene, sprites=again)


def scene_batch(rng: np.random.Generator, art: dict[str, Image.Image], n: int) -> Tensor:
    """n scenes and the same n with everything moved (2n, 3, 64, 64)."""
    drawn = [scenes.random_scene(rng, list(art)) for _ in range(n)]
    drawn += [moved(rng, s) for s in drawn]
    return pixels(np.stack([np.asarray(scenes.draw(s, art)) for s in drawn]))


def copy_loss(a: Tensor, b: Tensor) -> Tensor:
    """InfoNCE between two views (N, D) of each picture plus the entropy term of SSCD."""
    n, z = len(a), normalize(torch.cat([a, b]), dim=1)
    alike = z @ z.T
    alike.fill_diagonal_(-torch.inf)
    same = torch.arange(2 * n, device=z.device).roll(n)
    itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
    others = alike.masked_fill(itself[same], -torch.inf)
    distance = (2 - 2 * others.max(1).values).clamp_min(1e-6).sqrt()
    return cross_entropy(alike / TEMPERATURE, same) - ENTROPY * distance.log().mean() * 0.1


def train_descriptor(
    network: torch.nn.Module,
    vae: AutoencoderTiny,
    art: dict[str, Image.Image],
    steps: int,
    seed: int,
) -> Iterator[dict]:
    """Train on fresh scenes, half of the second views seen through the autoencoder."""
    rng, g = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    optimiser, schedule = paced(network, 2e-3, steps)
    device = next(network.parameters()).device
    for step in range(steps):
        x = scene_batch(rng, art, 24)
        x, other = (v.to(device) for v in (x, edited(x, g)))
        other[::2] = through(vae, x[::2])
        loss = copy_loss(network(x), network(other))
        yield stepped(loss, network, optimiser, schedule, step)


def paced(network: torch.nn.Module, rate: float, steps: int) -> tuple:
    """AdamW with a one-cycle rate."""
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.01)
    return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps, pct_start=0.1)


def stepped(loss: Tensor, network, optimiser, schedule, step: int) -> dict:  # noqa: ANN001
    """One optimiser step; the metrics of it."""
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
    schedule.step()
    return {"step": step + 1, "loss": float(loss.detach())}


def clip_model(tokens: CLIPTokenizer) -> CLIPModel:
    """An untrained CLIP of 1.4 M parameters for 64x64 pictures and the demo's tokenizer."""
    shape = {"hidden_size": 128, "intermediate_size": 384, "num_attention_heads": 4}
    special = {f"{n}_token_id": getattr(tokens, f"{n}_token_id") for n in ("bos", "eos", "pad")}
    words = {"vocab_size": len(tokens), "max_position_embeddings": tokenizer.LENGTH, **special}
    config = CLIPConfig(
        text_config={**shape, **words, "num_hidden_layers": 2, "projection_dim": 128},
        vision_config={
            **shape, "image_size": scenes.SIDE, "patch_size": 8, "num_hidden_layers": 4,
            "projection_dim": 128,
        },
        projection_dim=128,
    )  # fmt: skip
    torch.manual_seed(0)
    return CLIPModel._from_config(config, attn_implementation="eager")  # the faster to train here


def train_clip(
    model: CLIPModel,
    ids: Tensor,
    views: Sequence[np.ndarray],
    rest: Sequence[str],
    steps: int,
    seed: int,
) -> Iterator[dict]:
    """CLIP's symmetric loss on pictures and token ids (N, L); pictures in one of several `views`.

    The views are uint8 (N, 64, 64, 3): as drawn, and as generated pictures will look. Half of each
    batch has the same `rest` of the caption, all but its things, so that these must be told apart.
    Equal captions count as right for each other.
    """
    rng, g = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    optimiser, schedule = paced(model, 1e-3, steps)
    alike = np.argsort(np.array(rest), kind="stable")
    for step in range(steps):
        rows = clip_rows(rng, alike, 192)
        x = pixels(np.stack([views[int(rng.integers(len(views)))][row] for row in rows]))
        x = zoom(colour(x, g), uniform(g, len(x), 0.85, 1.1).flatten(), g).to(model.device)
        words = ids[torch.from_numpy(rows)].to(model.device)
        with mixed(model.device):
            scores = model(input_ids=words, pixel_values=x).logits_per_image.float()
        same = (words[:, None] == words[None]).all(2).float()
        same /= same.sum(1, keepdim=True)
        loss = (cross_entropy(scores, same) + cross_entropy(scores.T, same)) / 2
        yield stepped(loss, model, optimiser, schedule, step)


def clip_rows(rng: np.random.Generator, alike: np.ndarray, n: int) -> np.ndarray:
    """n rows: half drawn at random, half in runs of 16 that are neighbours in `alike`."""
    starts = rng.integers(max(1, len(alike) - 15), size=n // 32)
    runs = [alike[start : start + 16] for start in starts]
    return np.concatenate([rng.integers(len(alike), size=n // 2), *runs])


@torch.no_grad()
def through(vae: AutoencoderTiny, x: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [-1, 1] as the autoencoder gives them back, in float32."""
    return vae.decoder(vae.encoder(x)).float().clamp(-1, 1)
