"""The samplers, each on the noise levels its model was made for and the timesteps diffusers takes.

Swapping scheduler classes through `from_config` drops what the old class left at its default. Here
each field that fixes the noise levels is passed by name. The spacing of the timesteps is what the
model's own file states; where it states none (Stable Diffusion 1.4's does not), it is the default
of the class that samples, as in diffusers: DPM-Solver and Euler begin at 999, DDIM and PNDM do not.
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
    "euler": "Euler",
}
SPACINGS = {  # of the timesteps: what each is called in menus
    "": "as the model says, else diffusers' own for the scheduler",
    "leading": "leading: ends at the first timestep",
    "linspace": "linspace: from the last timestep to the first",
    "trailing": "trailing: begins at the last timestep",
}
KEPT = {  # the fields that fix a schedule, and what Stable Diffusion's first release used for each
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "trained_betas": None,
    "prediction_type": "epsilon",
    "steps_offset": 0,
    "rescale_betas_zero_snr": False,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
}
COMMON = list(KEPT)[:7]
USUAL_SPACING = {"ddim": "leading", "dpm": "linspace", "pndm": "leading", "euler": "linspace"}
PREDICTIONS = ("epsilon", "v_prediction")


def scheduler(pipe: Pipe, name: str, steps: int, spacing: str = "") -> Scheduler:
    """A fresh scheduler (they keep state: never share one) with its timesteps set.

    `spacing` is one of `SPACINGS`. Raises ModelError where the model has no such schedule.
    """
    if name not in SCHEDULERS:
        raise ModelError(f"No scheduler is named {name!r}. Choose one of {', '.join(SCHEDULERS)}.")
    check_spacing(spacing)
    if "shift" in pipe.scheduler.config:
        return _flow(pipe, name, steps, spacing)
    kept = _kept(pipe.scheduler.config)
    kept["timestep_spacing"] = spacing or usual_spacing(pipe, name)
    _check_steps(steps, kept["num_train_timesteps"])
    made = _make(name, kept)
    _set_timesteps(made, steps)
    return cast("Scheduler", made)


def check_spacing(spacing: str) -> None:
    """Raise ModelError for a spacing that is not known."""
    if spacing not in SPACINGS:
        known = ", ".join(filter(None, SPACINGS))
        raise ModelError(f"No timestep spacing is named {spacing!r}. Choose one of {known}.")


def usual_spacing(pipe: Pipe, name: str) -> str:
    """The spacing that the model's own file states, else that of diffusers' class."""
    config = pipe.scheduler.config
    if "shift" in config:
        return ""
    if "timestep_spacing" in config.get("_use_default_values", ()):
        return USUAL_SPACING[name]
    return config.get("timestep_spacing", USUAL_SPACING[name])


def noise_level(made: Scheduler, index: int) -> tuple[float, float]:
    """Alpha-bar at a step, and what the scheduler's latents are multiplied with to be its input.

    Euler's latents are x0 + sigma noise, and its timesteps may lie between two stored levels; the
    network reads sqrt(alpha-bar) of them. The latents of the others are what the network reads. Of
    a flow, x = (1 - s) x0 + s noise, 1 - s^2 stands for alpha-bar: its noise is as strong.
    """
    from diffusers import EulerDiscreteScheduler

    from memviz.models.flow_scheduler import FlowScheduler

    if isinstance(made, FlowScheduler | EulerDiscreteScheduler):
        sigma = float(cast("Any", made).sigmas[index])
        alpha = 1 / (1 + sigma**2)
        return (1 - sigma**2, 1.0) if isinstance(made, FlowScheduler) else (alpha, alpha**0.5)
    return float(made.alphas_cumprod[int(made.timesteps[index])]), 1.0


def told_timestep(made: Scheduler, index: int) -> int:
    """A step's timestep as methods and people are told it: 999 at the most, falling.

    The timesteps of a flow are no measure of how far it is (half of the steps end above 750 where
    its shift is 3): there it is the share of the steps that are left, in thousandths.
    """
    from memviz.models.flow_scheduler import FlowScheduler

    if isinstance(made, FlowScheduler):
        return min(999, round(1000 * (1 - index / len(made.timesteps))))
    return round(float(made.timesteps[index]))


def prediction_type(pipe: Pipe) -> str:
    """What the network predicts: epsilon, v_prediction or flow."""
    config = pipe.scheduler.config
    return "flow" if "shift" in config else config.prediction_type


def _flow(pipe: Pipe, name: str, steps: int, spacing: str) -> Scheduler:
    """Euler along a flow; its spacing is fixed by the shift that the model was trained with."""
    from memviz.models.flow_scheduler import FlowScheduler

    config = pipe.scheduler.config
    if name != "euler" or spacing:
        given = f"timesteps spaced {spacing}" if name == "euler" else SCHEDULERS[name]
        raise ModelError(
            f"This model is a flow; it has no noise schedule for {given}. Choose the scheduler "
            "euler, and no spacing."
        )
    if config.get("use_dynamic_shifting"):
        raise ModelError("This flow shifts its timesteps by the size of the picture; memviz "
                         "samples flows with one shift, as Stable Diffusion 3's.")  # fmt: skip
    _check_steps(steps, config["num_train_timesteps"])
    made: Any = FlowScheduler.from_config(config)  # typed as a tuple
    made.set_timesteps(steps)
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
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler

    common = {key: kept[key] for key in (*COMMON, "timestep_spacing")}
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
        case "euler":
            return EulerDiscreteScheduler(**common, rescale_betas_zero_snr=zero)
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
    from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler

    grid = made.timesteps[:-1]
    if isinstance(made, DPMSolverMultistepScheduler | EulerDiscreteScheduler):
        made.set_timesteps(timesteps=grid.tolist())
    else:
        made.timesteps = grid
