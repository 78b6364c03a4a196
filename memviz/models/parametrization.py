"""From a model's own prediction to epsilon and x0, and the guided mix of two predictions.

A flow predicts v = noise - x0 at x = (1 - s) x0 + s noise; there alpha is 1 - s^2.
"""

from torch import Tensor


def epsilon(prediction: Tensor, x: Tensor, alpha: float, kind: str) -> Tensor:
    """A prediction of a kind (epsilon, v_prediction, flow) at x as epsilon; alpha is alpha-bar."""
    if kind == "epsilon":
        return prediction
    if kind == "flow":
        return x + (1 - (1 - alpha) ** 0.5) * prediction
    return alpha**0.5 * prediction + (1 - alpha) ** 0.5 * x


def clean(prediction: Tensor, x: Tensor, alpha: float, kind: str) -> Tensor:
    """The x0 estimate that a prediction at latents x is heading for."""
    if kind == "epsilon":
        return (x - (1 - alpha) ** 0.5 * prediction) / alpha**0.5
    if kind == "flow":
        return x - (1 - alpha) ** 0.5 * prediction
    return alpha**0.5 * x - (1 - alpha) ** 0.5 * prediction


def guided(uncond: Tensor, cond: Tensor, scales: Tensor) -> Tensor:
    """uncond + w (cond - uncond) with one scale w per sample, in the predictions' own type."""
    w = scales.to(uncond)[:, None, None, None]
    return uncond + w * (cond - uncond)
