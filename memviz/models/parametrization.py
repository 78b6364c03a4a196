"""From a model's own prediction to epsilon and x0, and the guided mix of two predictions."""

from torch import Tensor


def epsilon(prediction: Tensor, x: Tensor, alpha: float, kind: str) -> Tensor:
    """A prediction ("epsilon" or "v_prediction") at x as epsilon; alpha is alpha-bar of t."""
    if kind == "epsilon":
        return prediction
    return alpha**0.5 * prediction + (1 - alpha) ** 0.5 * x


def clean(prediction: Tensor, x: Tensor, alpha: float, kind: str) -> Tensor:
    """The x0 estimate that a prediction at latents x is heading for."""
    if kind == "epsilon":
        return (x - (1 - alpha) ** 0.5 * prediction) / alpha**0.5
    return alpha**0.5 * x - (1 - alpha) ** 0.5 * prediction


def guided(uncond: Tensor, cond: Tensor, scales: Tensor) -> Tensor:
    """uncond + w (cond - uncond) with one scale w per sample, in the predictions' own type."""
    w = scales.to(uncond)[:, None, None, None]
    return uncond + w * (cond - uncond)
