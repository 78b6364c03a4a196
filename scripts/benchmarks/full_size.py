"""Pipelines of the size of Stable Diffusion 1.4 and 2.1 with random weights, and what they cost.

Speed and memory do not depend on what weights say, and none have to be fetched.
"""

# diffusers declares its sizes as tuples of one.
# pyright: reportArgumentType=false

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, ResNetConfig, ResNetModel
from transformers.convert_slow_tokenizer import bytes_to_unicode

from memviz.io import atomic

SIDES = {"sd-1.4": 64, "sd-2.1": 96}  # of the latents
WIDTHS = {"sd-1.4": 768, "sd-2.1": 1024}  # of the text embedding


def build(name: str, cache: Path) -> Path:
    """The folder of a pipeline, made where it is not there yet: 4 to 5 GB."""
    folder = cache / name
    if not folder.is_dir():
        torch.manual_seed(0)
        parts = {"unet": unet(name), "vae": autoencoder(), "text_encoder": text_encoder(name)}
        parts |= {"tokenizer": tokenizer(), "scheduler": grid(name)}
        parts |= dict.fromkeys(("safety_checker", "feature_extractor"))
        made = StableDiffusionPipeline(**parts, requires_safety_checker=False)
        with atomic.folder(folder) as part:
            made.save_pretrained(part)
    return folder


def unet(name: str) -> UNet2DConditionModel:
    """As the released configurations have it."""
    heads = 8 if name == "sd-1.4" else (5, 10, 20, 20)
    return UNet2DConditionModel(
        sample_size=SIDES[name],
        block_out_channels=(320, 640, 1280, 1280),
        cross_attention_dim=WIDTHS[name],
        attention_head_dim=heads,  # diffusers' name for the number of heads
        use_linear_projection=name == "sd-2.1",
    ).eval()


def autoencoder() -> AutoencoderKL:
    """The one that both have."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        sample_size=512,
    ).eval()


def text_encoder(name: str) -> CLIPTextModel:
    """CLIP ViT-L/14's, or the first 23 layers of OpenCLIP's ViT-H."""
    width, layers = WIDTHS[name], 12 if name == "sd-1.4" else 23
    ends: Any = {"bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}  # of `tokenizer`
    config = CLIPTextConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        projection_dim=width,
        **ends,
    )
    return CLIPTextModel(config).eval()


def tokenizer() -> CLIPTokenizer:
    """A token for every byte."""
    letters = [*bytes_to_unicode().values()]
    tokens = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        "<|startoftext|>",
        "<|endoftext|>",
    ]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def grid(name: str) -> DDIMScheduler:
    """Stable Diffusion's noise levels."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="epsilon" if name == "sd-1.4" else "v_prediction",
    )


class ResNet(torch.nn.Module):
    """ResNet-50, the network of SSCD: pixels (B, 3, h, w) to rows (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.network = ResNetModel(ResNetConfig()).eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """The mean over space of the last layer."""
        return self.network(pixels).pooler_output.flatten(1)


class PeakMemory(TorchDispatchMode):
    """The most bytes that results hold at once while a network runs."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401 - torch's own signature
        """Pass the operation on and count what it made."""
        made = call(*args, **(kwargs or {}))
        for storage in (t.untyped_storage() for t in tree_leaves(made) if isinstance(t, Tensor)):
            key, size = storage._cdata, storage.nbytes()
            if key not in self.known:
                self.known.add(key)
                self.held += size
                self.peak = max(self.peak, self.held)
                weakref.finalize(storage, self.release, key, size)
        return made

    def release(self, key: int, size: int) -> None:
        """A result was let go."""
        self.known.discard(key)
        self.held -= size


def cost(make: Callable[[], Any], call: Callable[[Any], Any]) -> dict[str, float]:
    """GFLOP and MiB of results of a call, counted on shapes alone: nothing is computed."""
    attention = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    counts = {attention: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v)}
    with FakeTensorMode(), torch.inference_mode():
        network = make()
        flops = FlopCounterMode(display=False, custom_mapping=counts)
        with flops, PeakMemory() as memory:
            call(network)
    return {"gflop": flops.get_total_flops() / 1e9, "mib": memory.peak / 2**20}


def costs(name: str) -> dict[str, dict[str, float]]:
    """Those of one row through each part, in float32."""
    side = SIDES[name]

    def latents() -> Tensor:
        return torch.randn(1, 4, side, side)

    def predict(network: Any) -> Any:  # noqa: ANN401
        states = torch.randn(1, 77, WIDTHS[name])
        return network(latents(), torch.tensor(1), encoder_hidden_states=states, return_dict=False)

    def decode(network: Any) -> Any:  # noqa: ANN401
        return network.decode(latents(), return_dict=False)

    return {
        "unet": cost(lambda: unet(name), predict),
        "own_decoder": cost(autoencoder, decode),
        "taesd": cost(AutoencoderTiny, decode),
        "descriptor": cost(ResNet, lambda network: network(torch.randn(1, 3, 288, 288))),
    }
