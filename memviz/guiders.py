"""Guidance rules as a guider of diffusers' modular pipelines.

    pipe.update_components(guider=RuleGuider("stp:early=0,late=7.5,at=500"))

Diffusers' own guiders take `start` and `stop`, outside of which they predict with the prompt alone
(w = 1). STP, DTP and OG (Jain et al., CVPR 2025, https://arxiv.org/abs/2411.16738) need w = 0 or
below before the transition, and DTP must see both predictions all the while to know when it is.
"""

from typing import Any

import torch
from diffusers.configuration_utils import register_to_config
from diffusers.guiders.guider_utils import BaseGuidance, GuiderOutput
from diffusers.modular_pipelines.modular_pipeline import BlockState
from torch import Tensor

from memviz.errors import InputError
from memviz.guidance.base import Guidance, Observation
from memviz.guidance.mitigation import Remedy
from memviz.guidance.spec import MethodSpec
from memviz.signals import free

Inputs = dict[str, tuple[Tensor, Tensor]]


class RuleGuider(BaseGuidance):
    """eps_uncond + w (eps_cond - eps_uncond), with w of each row by a rule that sees its past.

    `guidance` is a spelling ("dtp:latest=400"), with which the guider can be saved, or a guidance
    value of one's own that only sets the scale. A rule sees the timestep and the magnitude, the
    norm of the difference of the model's two outputs; timesteps of flow models run from 1000 to 0,
    too.
    """

    _input_predictions = ["pred_cond", "pred_uncond"]  # noqa: RUF012 - diffusers wants a list

    @register_to_config
    def __init__(
        self,
        guidance: str | Guidance = "stp",
        enabled: bool = True,
    ) -> None:
        super().__init__(enabled=enabled)
        self.rule = MethodSpec.parse(guidance).guidance if isinstance(guidance, str) else guidance
        if isinstance(self.rule, Remedy):
            name = type(self.rule).__name__
            raise InputError(f"{name} does more than set the scale. A guider takes stp, dtp or og.")
        self.guidance = guidance
        self.seen: list[list[Observation]] = []

    def new(self, **changes: Any) -> "RuleGuider":  # noqa: ANN401
        """A copy at its beginning, some of its settings changed."""
        kept = {"guidance": self.guidance, "enabled": self._enabled}
        return type(self)(**{**kept, **changes})

    def save_config(self, *where: Any, **how: Any) -> None:  # noqa: ANN401
        """Write the spelling. Raises InputError where the rule is a value, which has none."""
        if not isinstance(self.guidance, str):
            raise InputError('A value cannot be saved. Spell the rule, as in "stp:at=500".')
        super().save_config(*where, **how)

    @property
    def is_conditional(self) -> bool:
        """Whether the prediction that is being prepared is the one with the prompt."""
        return self._count_prepared == 1

    @property
    def num_conditions(self) -> int:
        """Both predictions at every step, also where w is 0: the rule watches their difference."""
        return 2 if self._enabled else 1

    def prepare_inputs(  # pyright: ignore[reportIncompatibleMethodOverride] - as diffusers' own
        self, data: Inputs
    ) -> list[BlockState]:
        """The inputs with the prompt, then those without."""
        kinds = self._input_predictions[: self.num_conditions]
        return [self._prepare_batch(data, i, kind) for i, kind in enumerate(kinds)]

    def prepare_inputs_from_block_state(
        self, data: BlockState, input_fields: dict[str, str | tuple[str, str]]
    ) -> list[BlockState]:
        """The same from the fields of a block's state."""
        kinds = self._input_predictions[: self.num_conditions]
        return [
            self._prepare_batch_from_block_state(input_fields, data, i, kind)
            for i, kind in enumerate(kinds)
        ]

    def forward(self, pred_cond: Tensor, pred_uncond: Tensor | None = None) -> GuiderOutput:
        """The guided prediction (B, ...); the first step of a sampling forgets the one before."""
        if pred_uncond is None:
            return GuiderOutput(pred=pred_cond, pred_cond=pred_cond, pred_uncond=None)
        if self._step == 0 or not self.seen:
            self.seen = [[] for _ in pred_cond]
        t = int(self._timestep)
        sizes = free.magnitude(pred_uncond, pred_cond).tolist()
        for seen, size in zip(self.seen, sizes, strict=True):
            seen.append(Observation(t, {"magnitude": size}))
        scales = torch.tensor([self.rule.scale(seen) for seen in self.seen]).to(pred_uncond)
        w = scales.view(-1, *[1] * (pred_cond.ndim - 1))
        pred = pred_uncond + w * (pred_cond - pred_uncond)
        return GuiderOutput(pred=pred, pred_cond=pred_cond, pred_uncond=pred_uncond)
