"""Anti-memorization guidance: away from the nearest training image while it is too near.

Chen et al., Towards Memorization-Free Diffusion Models, CVPR 2024 (no code was released; this
follows the formulas). At each step the x0 estimate is decoded and looked up among the training
images. Where its similarity s exceeds a parabola in the timestep, three terms join the prediction:

- despecification  -s1 (eps(x, y) - eps(x)),   s1 = max(min(c1 s, scale - 1), 0)
- deduplication    -s2 (eps(x, y_N) - eps(x)), s2 = max(min(c2 s, scale - s1 - 1), 0), y_N the
  caption of the nearest image
- dissimilarity     c3 sqrt(1 - alpha) grad_x s
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from memviz.errors import InputError
from memviz.guidance.mitigation import FullScale, Here
from memviz.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.models.denoiser import Denoiser, NoiseLevel
    from memviz.models.protocols import Pipe

FLOW = (
    "Anti-memorization guidance is defined on epsilon, of which a flow's first step has none that "
    "depends on the prompt. Leave amg out."
)
NO_DETECTOR = (
    "Anti-memorization guidance looks pictures up; name the training images to look through."
)


@dataclass(frozen=True)
class AntiMemorization(FullScale):
    """Plain guidance, corrected at the steps whose x0 estimate is too near a training image.

    eps + w g - s1 g - s2 (eps(x, y_N) - eps(x)) + c3 sqrt(1 - alpha_bar) grad_x s, where s exceeds
    the copy mark times late + (early - late) (t / 1000)^2. Chen et al., CVPR 2024; see the module.
    """

    looks_up: ClassVar[bool] = True

    c1: float = setting(2, "strength of despecification", 0, 1000)
    c2: float = setting(2, "strength of deduplication", 0, 1000)
    c3: float = setting(10, "strength of dissimilarity", 0, 100_000)
    late: float = setting(1, "similarity allowed at the end, as a share of the copy mark", 0, 2)
    early: float = setting(
        0.8, "similarity allowed at the start, as a share of the copy mark", 0, 2
    )

    def refuse(self, pipe: "Pipe") -> str:
        """Its terms are of epsilon under a noise schedule."""
        from memviz.models.network import is_flow

        return FLOW if is_flow(pipe) else ""

    def allowed(self, t: float) -> float:
        """From which share of the copy mark a step is corrected: a parabola in the timestep."""
        return self.late + (self.early - self.late) * (t / 1000) ** 2

    def correct(
        self, denoiser: "Denoiser", here: Sequence[Here], level: "NoiseLevel"
    ) -> list["Tensor | None"]:
        """The three terms where the parabola is exceeded."""
        import torch

        if denoiser.detector is None:
            raise InputError(NO_DETECTOR)
        x = torch.stack([h.x for h in here])
        guided = torch.stack([h.uncond + h.scale * (h.cond - h.uncond) for h in here])
        similarity, slope, ids = nearest(denoiser, x, guided, level)
        mark = denoiser.detector.thresholds.copied * self.allowed(float(level.t))
        near = [i for i, s in enumerate(similarity) if s > mark]
        if not near:
            return [None] * len(here)
        caption = denoiser.detector.corpus.caption
        other = denoiser.encode([caption(ids[i]) for i in near])
        found = denoiser(x, level.t, [*zip(near, other, strict=True)])
        changes: list[Tensor | None] = [None] * len(here)
        for i, condition in zip(near, other, strict=True):
            s1, s2 = self.strengths(similarity[i], here[i].scale)
            push = -s1 * (here[i].cond - here[i].uncond)
            push = push - s2 * (found[i, condition] - here[i].uncond)
            away = self.c3 * (1 - level.alpha) ** 0.5 * slope[i]
            changes[i] = push + level.prediction(away).to(push)
        return changes

    def strengths(self, similarity: float, scale: float) -> tuple[float, float]:
        """s1 and s2: together they never take more than the guidance beyond a scale of 1."""
        s1 = max(min(self.c1 * similarity, scale - 1), 0)
        return s1, max(min(self.c2 * similarity, scale - s1 - 1), 0)


def nearest(
    denoiser: "Denoiser", x: "Tensor", guided: "Tensor", level: "NoiseLevel"
) -> tuple[list[float], "Tensor", list[int]]:
    """Each x0 estimate's similarity to its nearest image, its gradient by x, and the image's id.

    As in guidance by a classifier of x0, epsilon itself is held fixed in the gradient.
    """
    import torch
    from torch.nn.functional import normalize

    from memviz.models.parametrization import clean

    detector, vae = denoiser.detector, denoiser.pipe.vae
    look = detector.descriptor
    with torch.inference_mode(False), torch.enable_grad():
        eps = level.epsilon(guided, x).float().clone()
        x = x.float().clone().requires_grad_()
        x0 = clean(eps, x, level.alpha, "epsilon").to(vae.dtype) / vae.config.scaling_factor
        pixels = vae.decode(x0, return_dict=False)[0].float().clamp(-1, 1)
        rows = normalize(look.network(look.preset.preprocess.tensor(pixels)).float(), dim=1)
        similarity, ids = detector.index.search(rows.detach().cpu().numpy(), 1)
        targets = torch.stack([target(detector, int(i)) for i in ids[:, 0]]).to(rows)
        (slope,) = torch.autograd.grad((rows * targets).sum(), x)
    return similarity[:, 0].tolist(), slope, [int(i) for i in ids[:, 0]]


@lru_cache(maxsize=4096)
def target(detector: Any, number: int) -> "Tensor":  # noqa: ANN401
    """The descriptor (D,) of a training image; zero where no image was found."""
    import torch

    if number < 0:
        return torch.zeros(detector.descriptor.preset.dims)
    return torch.from_numpy(  # pyright: ignore[reportUnknownMemberType]
        detector.descriptor.embed([detector.corpus.image(number)])[0]
    )
