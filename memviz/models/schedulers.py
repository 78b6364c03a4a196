"""The three samplers, each on the timesteps and noise levels its model was made for.

Swapping scheduler classes through `from_config` drops what the old class left at its default, which
moves the grid (leading became linspace). Here each field that fixes the schedule is passed by name.
Euler is not offered: its timesteps are fractional, and no stored noise level belongs to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from memviz.models.files import ModelError

if TYPE_CHECKING:
    from memviz.models.protocols import Pipe, Scheduler

SCHEDULERS = {  # what each is called in menus
    "ddim": "DDIM",
    "dpm": "DPM-Solver++ (second order)",
    "pndm": "PNDM (one model call more than steps)",
}
KEPT = {  # the fields that fix a schedule, and what Stable Diffusion's first release used for each
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "trained_betas": None,
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
    "steps_offset": 0,
    "rescale_betas_zero_snr": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
}
COMMON = list(KEPT)[:8]
PREDICTIONS = ("epsilon", "v_prediction")


def scheduler(pipe: Pipe, name: str, steps: int) -> Scheduler:
    """A fresh scheduler (they keep state: never share one) with its timesteps set."""
    if name not in SCHEDULERS:
        raise ModelError(f"No scheduler is named {name!r}. Choose one of {', '.join(SCHEDULERS)}.")
    kept = _kept(pipe.scheduler.config)
    _check_steps(steps, kept["num_train_timesteps"])
    made = _make(name, kept)
    _set_timesteps(made, steps)
    return cast("Scheduler", made)


def _kept(config: dict[str, Any]) -> dict[str, Any]:
    kept = {key: config.get(key, usual) for key, usual in KEPT.items()}
    if "beta_schedule" not in config or kept["prediction_type"] not in PREDICTIONS:
        raise ModelError(
            f"This model's scheduler ({config.get('_class_name', 'unknown')}, predicting "
            f"{kept['prediction_type']}) is not a noise schedule of Stable Diffusion's kind. "
            f"Use a model that predicts {' or '.join(PREDICTIONS)}."
        )
    return kept


def _make(name: str, kept: dict[str, Any]) -> Any:  # noqa: ANN401 - a class of diffusers
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

    common = {key: kept[key] for key in COMMON}
    zero, to_one = kept["rescale_betas_zero_snr"], kept["set_alpha_to_one"]
    match name:
        case "dpm":
            return DPMSolverMultistepScheduler(
                **common, rescale_betas_zero_snr=zero, algorithm_type="dpmsolver++", solver_order=2
            )
        case "ddim":
            return DDIMScheduler(
                **common, rescale_betas_zero_snr=zero, set_alpha_to_one=to_one, clip_sample=False
            )
        case _:
            return _pndm(
                common, zero, set_alpha_to_one=to_one, skip_prk_steps=kept["skip_prk_steps"]
            )


def _pndm(common: dict[str, Any], zero_snr: bool, **options: Any) -> Any:  # noqa: ANN401
    """PNDM; the class knows no zero terminal SNR, so it is handed betas that are already rescaled.

    It divides by the last alpha: that stands at 2**-24 instead of 0, as in diffusers' DPM-Solver.
    Its first step then magnifies the model's error; keep the latents in float32.
    """
    from diffusers import DDIMScheduler, PNDMScheduler

    if not zero_snr:
        return PNDMScheduler(**common, **options)
    betas = DDIMScheduler(**common, rescale_betas_zero_snr=True).betas
    made = PNDMScheduler(**(common | {"trained_betas": betas.tolist()}), **options)
    made.alphas_cumprod[-1] = 2**-24
    return made


def _check_steps(steps: int, most: int) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= most:
        raise ModelError(f"Got {steps} steps; this model takes a whole number from 1 to {most}.")


def _set_timesteps(made: Any, steps: int) -> None:  # noqa: ANN401
    """The class's own grid, less the timestep -1 that rounding appends to 61, 103, 121 … steps."""
    made.set_timesteps(steps)
    if made.timesteps[-1] < 0:
        _drop_last(made)
    times, most = made.timesteps.tolist(), made.config.num_train_timesteps
    if min(times) < 0 or max(times) >= most:
        raise ModelError(f"{steps} steps leave this model's {most} timesteps. Try 50.")


def _drop_last(made: Any) -> None:  # noqa: ANN401
    from diffusers import DPMSolverMultistepScheduler

    grid = made.timesteps[:-1]
    if isinstance(made, DPMSolverMultistepScheduler):
        made.set_timesteps(timesteps=grid.tolist())
    else:
        made.timesteps = grid
