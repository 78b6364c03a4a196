"""A random StableDiffusionPipeline of 0.6 M parameters: the real code path, no download.

`build(folder)` takes well under a second. Pictures are 32x32, latents 4x8x8.
"""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)
from transformers.convert_slow_tokenizer import bytes_to_unicode

LATENTS = (4, 8, 8)
WIDTH = 32  # of the text embedding
SUMMARY = 16  # of what the larger classes read of a whole prompt


def build(folder: Path, vae: str = "kl", prediction: str = "epsilon", **options: object) -> Path:
    """Write a random pipeline to `folder`; `options` go to its DDIM scheduler config."""
    pipeline(vae, prediction, **options).save_pretrained(folder, safe_serialization=True)
    return Path(folder)


def build_zero_snr(folder: Path, vae: str = "tiny") -> Path:
    """As the demo model: v-prediction, zero terminal SNR, trailing spacing."""
    return build(
        folder, vae, "v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )


def pipeline(
    vae: str = "kl", prediction: str = "epsilon", seed: int = 0, **options: object
) -> StableDiffusionPipeline:
    """The same random pipeline for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {
            "vae": autoencoder(vae),
            "unet": unet(),
            "text_encoder": text_encoder(),
            "tokenizer": tokenizer(),
        }
    parts |= dict.fromkeys(("safety_checker", "feature_extractor"))
    made = StableDiffusionPipeline(
        **parts, scheduler=ddim(prediction, **options), requires_safety_checker=False
    )
    made.set_progress_bar_config(disable=True)
    return made


def pipeline_xl(seed: int = 0, zeros: bool = True) -> StableDiffusionXLPipeline:
    """A random pipeline of SDXL's class: two encoders, a summary of the prompt, sizes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = StableDiffusionXLPipeline(
            vae=autoencoder("kl"),
            unet=unet(
                cross_attention_dim=2 * WIDTH,
                addition_embed_type="text_time",
                addition_time_embed_dim=8,
                projection_class_embeddings_input_dim=6 * 8 + SUMMARY,
            ),
            text_encoder=text_encoder(),
            text_encoder_2=text_encoder(CLIPTextModelWithProjection, SUMMARY),
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(),
            scheduler=ddim("epsilon"),
            force_zeros_for_empty_prompt=zeros,
            add_watermarker=False,
        )
    made.set_progress_bar_config(disable=True)
    return made


def pipeline_3(seed: int = 0, shift: float = 3.0) -> StableDiffusion3Pipeline:
    """A random pipeline of Stable Diffusion 3's class: a flow, without the third encoder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = StableDiffusion3Pipeline(
            vae=autoencoder("kl", shift_factor=0.1),
            transformer=SD3Transformer2DModel(
                sample_size=LATENTS[1],
                patch_size=2,
                in_channels=LATENTS[0],
                out_channels=LATENTS[0],
                num_layers=2,
                attention_head_dim=8,
                num_attention_heads=4,
                joint_attention_dim=2 * WIDTH,
                caption_projection_dim=32,
                pooled_projection_dim=2 * SUMMARY,
                pos_embed_max_size=16,
            ).eval(),
            text_encoder=text_encoder(CLIPTextModelWithProjection, SUMMARY),
            text_encoder_2=text_encoder(CLIPTextModelWithProjection, SUMMARY),
            text_encoder_3=None,
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(),
            tokenizer_3=None,
            scheduler=FlowMatchEulerDiscreteScheduler(shift=shift),
        )
    made.set_progress_bar_config(disable=True)
    return made


def ddim(prediction: str, **options: object) -> DDIMScheduler:
    """Stable Diffusion's own schedule."""
    usual = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "clip_sample": False,
        "set_alpha_to_one": False,
        "steps_offset": 1,
        "timestep_spacing": "leading",
    }
    return DDIMScheduler(prediction_type=prediction, **(usual | options))


def unet(**changes: object) -> UNet2DConditionModel:
    """A UNet with one cross-attention level."""
    usual = {
        "sample_size": LATENTS[1],
        "in_channels": LATENTS[0],
        "out_channels": LATENTS[0],
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "block_out_channels": (32, 48),
        "layers_per_block": 1,
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 8,
        "norm_num_groups": 8,
    }
    return UNet2DConditionModel(**(usual | changes)).eval()


def autoencoder(kind: str, **changes: object) -> AutoencoderKL | AutoencoderTiny:
    """Factor 4, either class."""
    if kind == "tiny":
        return tiny_autoencoder()
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 16, 16),
        norm_num_groups=8,
        latent_channels=LATENTS[0],
        **changes,
    ).eval()


def tiny_autoencoder() -> AutoencoderTiny:
    """The demo model's class."""
    return AutoencoderTiny(
        encoder_block_out_channels=(8,) * 3,
        decoder_block_out_channels=(8,) * 3,
        num_encoder_blocks=(1,) * 3,
        num_decoder_blocks=(1,) * 3,
        latent_channels=LATENTS[0],
    ).eval()


def text_encoder(kind: type = CLIPTextModel, summary: int = WIDTH) -> CLIPTextModel:
    """Two layers of 32."""
    words = tokenizer()
    return kind(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=WIDTH,
            projection_dim=summary,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    ).eval()


def tokenizer() -> CLIPTokenizer:
    """CLIP's tokenizer without merges: one token per byte."""
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)
