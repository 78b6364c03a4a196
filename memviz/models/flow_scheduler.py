"""Euler's steps along a flow, x = (1 - s) x0 + s noise, as the sampling loop wants a scheduler."""

from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor


class FlowScheduler(FlowMatchEulerDiscreteScheduler):
    """Diffusers' own, whose latents are what the network reads, from noise of unit variance."""

    init_noise_sigma = 1.0

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """The latents themselves."""
        return sample
