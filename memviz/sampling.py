"""The denoising loop: a generator over diffusers components that yields one Step per model call.

Rows of a batch are independent: each has its prompt, seed and guidance. Rows whose past is still
the same share their model evaluations, so that four methods cost little more than one until they
part. Nothing is drawn, saved or printed here; stop reading and it stops.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from memviz import signals
from memviz.guidance import Guidance, Signal

NO_SIGNAL = 1e-7  # alpha-bar below this is zero terminal SNR; Stable Diffusion ends at 0.0047


@dataclass(frozen=True)
class Request:
    """One row: a prompt, the seed of its starting noise and how it is guided."""

    prompt: str
    seed: int
    guidance: Guidance


@dataclass(frozen=True)
class Step:
    """One model call for all rows.

    `states[i]` is the first row whose sample is the same as row i's after this step, so work on
    x0 or latents need only be done for the rows that are their own state.
    """

    index: int
    t: int
    scales: list[float]
    signals: dict[str, list[float]]  # column -> one value per row
    x0: Tensor  # (B, C, h, w), scaled latents
    latents: Tensor  # (B, C, h, w), after the step
    states: list[int]
    evaluations: int  # rows put through the UNet so far


def noise(pipe: Any, seeds: Sequence[int]) -> Tensor:  # noqa: ANN401
    """Starting latents (B, C, h, w): float32 from one CPU generator per seed, on any device."""
    c, side = pipe.unet.config.in_channels, pipe.unet.config.sample_size
    h, w = (side, side) if isinstance(side, int) else side
    draw = {s: torch.randn(c, h, w, generator=torch.Generator().manual_seed(s)) for s in set(seeds)}
    return torch.stack([draw[s] for s in seeds])


def noise_hash(x: Tensor) -> str:
    """The first 16 hex digits of the SHA-256 of one starting noise (C, h, w) in float32."""
    return sha256(x.float().contiguous().numpy().tobytes()).hexdigest()[:16]


@dataclass
class Predictor:
    """The UNet on any list of (latents row, prompt) pairs, in chunks that fit the memory."""

    pipe: Any
    prompts: Sequence[str]
    limit: int = 64  # rows at a time; halved when memory runs out
    evaluations: int = 0
    text: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Encode each distinct prompt once, and the empty one."""
        unique = list(dict.fromkeys(["", *self.prompts]))
        rows, _ = self.pipe.encode_prompt(unique, self.pipe.device, 1, False)
        self.text = dict(zip(unique, rows, strict=True))

    def __call__(self, x: Tensor, t: Tensor, pairs: Sequence[tuple[int, str]]) -> dict:
        """Predictions by (row of x, prompt)."""
        found, start = {}, 0
        while start < len(pairs):
            chunk = pairs[start : start + self.limit]
            try:
                rows = self.predict(x, t, chunk)
            except torch.OutOfMemoryError:
                if self.limit == 1:
                    raise
                self.limit = max(1, min(self.limit, len(pairs)) // 2)
                torch.cuda.empty_cache()
                continue
            found.update(zip(chunk, rows, strict=True))
            start += len(chunk)
        self.evaluations += len(pairs)
        return found

    def predict(self, x: Tensor, t: Tensor, pairs: Sequence[tuple[int, str]]) -> Tensor:
        """One call of the UNet: (len(pairs), C, h, w)."""
        rows = x[[row for row, _ in pairs]].to(self.pipe.unet.dtype)
        text = torch.stack([self.text[prompt] for _, prompt in pairs])
        rows = rows.contiguous(memory_format=torch.channels_last)
        return self.pipe.unet(rows, t, encoder_hidden_states=text, return_dict=False)[0]


@torch.inference_mode()
def sample(
    pipe: Any,  # noqa: ANN401
    requests: Sequence[Request],
    scheduler: Any,  # noqa: ANN401
) -> Iterator[Step]:
    """Denoise all requests together, one Step per timestep of a fresh scheduler.

    `pipe` needs encode_prompt, unet and device; `scheduler` has its timesteps set (see
    `models.scheduler`). With a constant scale above 1 the latents equal those of
    `StableDiffusionPipeline.__call__`. Raises ValueError on fractional timesteps.
    """
    check_timesteps(scheduler)
    dtype, device = pipe.unet.dtype, pipe.device
    x = noise(pipe, [r.seed for r in requests]).to(device, dtype) * scheduler.init_noise_sigma
    predictor = Predictor(pipe, [r.prompt for r in requests])
    seen: list[list[Signal]] = [[] for _ in requests]
    states = first_of([r.seed for r in requests])
    kind, before = scheduler.config.prediction_type, None
    for index, t in enumerate(scheduler.timesteps):
        alpha = signal_level(scheduler.alphas_cumprod, int(t))
        uncond, cond = both(predictor, x, t, states, requests)
        eps = [signals.epsilon(p, x, alpha, kind) for p in (uncond, cond)]
        row = {"magnitude": signals.magnitude(*eps), "cosine": signals.alignment_cosine(*eps)}
        for past, magnitude in zip(seen, row["magnitude"].tolist(), strict=True):
            past.append(Signal(int(t), magnitude))
        scales = [float(r.guidance.scale(s)) for r, s in zip(requests, seen, strict=True)]
        prediction = signals.guided(uncond, cond, torch.tensor(scales, device=device))
        x0 = signals.clean(prediction, x, alpha, kind)
        after = scheduler.step(prediction, t, x, return_dict=False)[0]
        row |= changes(before, x, x0, after)
        states = first_of([parted(*p) for p in zip(states, requests, scales, strict=True)])
        x, before = after, x0
        columns = {name: values.tolist() for name, values in row.items()}
        yield Step(index, int(t), scales, columns, x0, x, states, predictor.evaluations)


def check_timesteps(scheduler: Any) -> None:  # noqa: ANN401
    """Refuse fractional timesteps: no stored noise level belongs to them."""
    odd = [float(t) for t in scheduler.timesteps if float(t) != int(t)]
    if odd:
        name = type(scheduler).__name__
        raise ValueError(f"{name} has fractional timesteps ({odd[0]:g}); use dpm, ddim or pndm.")


def signal_level(alphas: Tensor, t: int) -> float:
    """alpha-bar of a timestep; with no signal at all left (zero terminal SNR) that of the next one.

    There epsilon says nothing of the prompt: every magnitude would be zero.
    """
    return float(alphas[t] if alphas[t] > NO_SIGNAL else alphas[t - 1])


def first_of(keys: Sequence[object]) -> list[int]:
    """For each key the index at which it first appears."""
    places: dict[object, int] = {}
    return [places.setdefault(key, i) for i, key in enumerate(keys)]


def parted(state: int, request: Request, scale: float) -> tuple:
    """What tells a row's next sample from others: its own past, and its prompt if that was used."""
    return state, scale, request.prompt if scale else None


def both(
    predictor: Predictor, x: Tensor, t: Tensor, states: list[int], requests: Sequence[Request]
) -> tuple[Tensor, Tensor]:
    """Unconditional and conditional predictions (B, C, h, w), each distinct one evaluated once."""
    empty = [(state, "") for state in states]
    full = [(state, r.prompt) for state, r in zip(states, requests, strict=True)]
    found = predictor(x, t, list(dict.fromkeys(empty + full)))
    return torch.stack([found[p] for p in empty]), torch.stack([found[p] for p in full])


def changes(before: Tensor | None, x: Tensor, x0: Tensor, after: Tensor) -> dict[str, Tensor]:
    """How far this step turned the latents and moved the x0 estimate (NaN at the first step)."""
    moved = torch.full((len(x),), torch.nan) if before is None else signals.shift(before, x0)
    return {"latent_change": signals.turn(x, after), "x0_change": moved}
