"""What is used of a diffusers pipeline and its scheduler; their own classes have more."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class Scheduler(Protocol):
    """A diffusers scheduler with its timesteps set (`models.schedulers.scheduler`).

    Its `config` states `prediction_type`; `alphas_cumprod` (1000,) are alpha-bar by timestep.
    `models.schedulers.noise_level` says what they are at a step.
    """

    config: Any  # diffusers' FrozenDict
    timesteps: Tensor
    alphas_cumprod: Tensor

    @property
    def init_noise_sigma(self) -> float | Tensor:
        """What the starting noise is multiplied with."""
        ...

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """The latents as the network reads them."""
        ...

    def step(
        self,
        model_output: Tensor,
        timestep: Any,  # noqa: ANN401 - whole in one scheduler, a tensor in another
        sample: Tensor,
        *,
        return_dict: bool,
    ) -> Any:  # noqa: ANN401 - a tuple whose first is the latents after the step
        """Take a step."""
        ...


class Pipe(Protocol):
    """A text-to-image pipeline in the layout of diffusers' `StableDiffusionPipeline`.

    `models.network` knows what others have in place of the UNet.
    """

    unet: Any  # diffusers' classes: a UNet2DConditionModel,
    vae: Any  # an autoencoder
    text_encoder: Any
    scheduler: Any  # whose config fixes the noise levels
    tokenizer: Any  # and transformers' CLIPTokenizer
    vae_scale_factor: int  # pixels of a picture for each of its latents

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def save_pretrained(self, save_directory: Any, **options: Any) -> None:  # noqa: ANN401
        """Write it as a folder."""
        ...

    def encode_prompt(
        self,
        prompt: Any,  # noqa: ANN401 - a list of texts, among others
        device: torch.device,
        num_images_per_prompt: int,
        do_classifier_free_guidance: bool,
    ) -> Sequence[Any]:
        """The prompts' embeddings (B, L, D), first of a tuple."""
        ...
