"""A diffusers pipeline as one file with the names that the original Stable Diffusion code uses."""

import re
from pathlib import Path

import torch
from diffusers.loaders.single_file_utils import DIFFUSERS_TO_LDM_MAPPING as NAMES
from safetensors.torch import save_file

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def write(pipe: object, file: Path) -> Path:
    """The weights of a `StableDiffusionPipeline` in one file."""
    unet, text = pipe.unet.state_dict(), pipe.text_encoder.state_dict()
    per_block = pipe.unet.config.layers_per_block + 1
    tensors = {f"model.diffusion_model.{unet_name(n, per_block)}": v for n, v in unet.items()}
    tensors |= {f"first_stage_model.{n}": v for n, v in vae_tensors(pipe.vae)}
    tensors |= {f"cond_stage_model.transformer.{clip_name(n)}": v for n, v in text.items()}
    save_file({n: v.contiguous() for n, v in tensors.items()}, file)
    return file


def clip_name(name: str) -> str:
    """Newer releases of transformers leave out the prefix."""
    return name if name.startswith("text_model.") else f"text_model.{name}"


def unet_name(name: str, per_block: int) -> str:
    """As the original code names a tensor of the UNet."""
    if name in NAMES["unet"]["layers"]:
        return NAMES["unet"]["layers"][name]
    place, *_ = (m for p in PLACES if (m := re.match(p, name)))
    found, rest = place.groupdict(), name[place.end() :]
    if found["part"] == "resnets":
        rest = change(rest, RESNET)
    if name.startswith("mid_block"):
        number = 2 * int(found["layer"]) if found["part"] == "resnets" else 1
        return f"middle_block.{number}.{rest}"
    block, layer = int(found["block"]), int(found["layer"])
    second = int(found["part"] == "attentions")
    if name.startswith("down_blocks"):
        if found["part"] == "downsamplers":
            return f"input_blocks.{(block + 1) * per_block}.0.{change(rest, {'conv': 'op'})}"
        return f"input_blocks.{1 + block * per_block + layer}.{second}.{rest}"
    if found["part"] == "upsamplers":
        return f"output_blocks.{(block + 1) * per_block - 1}.1.{rest}"
    return f"output_blocks.{block * per_block + layer}.{second}.{rest}"


PLACES = (
    r"(?:down|up)_blocks\.(?P<block>\d+)\.(?P<part>\w+)\.(?P<layer>\d+)\.",
    r"mid_block\.(?P<part>\w+)\.(?P<layer>\d+)\.",
)


def change(rest: str, names: dict[str, str]) -> str:
    """The beginning of a name exchanged."""
    for old, new in names.items():
        if rest.startswith(f"{old}."):
            return new + rest[len(old) :]
    return rest


def vae_tensors(vae: object) -> list[tuple[str, torch.Tensor]]:
    """Names and tensors as the original code has them."""
    blocks, layers = len(vae.config.block_out_channels), NAMES["vae"]
    found = []
    for name, value in vae.state_dict().items():
        new = layers.get(name, name)
        new = new.replace("mid_block.resnets.0", "mid.block_1")
        new = new.replace("mid_block.resnets.1", "mid.block_2")
        if "mid_block.attentions.0" in new:
            head, _, rest = new.partition("mid_block.attentions.0.")
            new = f"{head}mid.attn_1.{change(rest, ATTENTION)}"
            value = value if value.ndim == 1 else value[:, :, None, None]
        new = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", new)
        new = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", new)
        new = re.sub(
            r"up_blocks\.(\d)\.(resnets\.|upsamplers\.0)",
            lambda m: f"up.{blocks - 1 - int(m[1])}.{UP[m[2]]}",
            new,
        )
        found.append((new.replace("conv_shortcut", "nin_shortcut"), value))
    return found


UP = {"resnets.": "block.", "upsamplers.0": "upsample"}
