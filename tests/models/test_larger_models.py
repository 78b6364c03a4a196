"""SDXL and Stable Diffusion 3: the loop equals diffusers' own, and what does not apply says why."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from memviz import resources
from memviz.comparison.compare import compare
from memviz.comparison.request import ComparisonRequest
from memviz.errors import MemvizError
from memviz.guidance.registry import METHODS
from memviz.guidance.switch import AtTimestep
from memviz.guidance.transition import Constant, TwoPhase
from memviz.models import decode, loading
from memviz.models.preview_decoder import choose_decoder
from memviz.models.schedulers import scheduler
from memviz.retrieval.copy_detector import CopyDetector
from memviz.runs import store
from memviz.sampling.generate import generate
from memviz.sampling.loop import sample
from memviz.sampling.types import Request
from memviz.signals import COSTLY, WATCHING
from memviz.training.config import Config
from memviz.training.trainable_model import TrainableModel
from tests.support import tiny, world

PROMPT = "a fox"


@pytest.fixture(scope="module")
def xl() -> object:
    return tiny.pipeline_xl()


@pytest.fixture(scope="module")
def sd3() -> object:
    return tiny.pipeline_3()


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> CopyDetector:
    small = world.build(tmp_path_factory.mktemp("world"))
    return resources.load_detector(str(small.corpus), str(small.descriptor))


def stock(pipe: object, scale: float, size: int, steps: int = 6) -> torch.Tensor:
    return pipe(
        PROMPT,
        height=size,
        width=size,
        num_inference_steps=steps,
        guidance_scale=scale,
        generator=torch.Generator().manual_seed(3),
        output_type="latent",
    ).images


def ours(pipe: object, name: str, requests: list[Request], size: int = 32, steps: int = 6) -> list:
    return [*sample(pipe, requests, scheduler(pipe, name, steps), size=size)]


@pytest.mark.parametrize("zeros", [True, False])
@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("scale", [1, 7.5])
def test_sdxl_equals_its_own_pipeline(zeros: bool, size: int, scale: float) -> None:
    pipe = tiny.pipeline_xl(zeros=zeros)
    made = ours(pipe, "ddim", [Request(PROMPT, 3, Constant(scale))], size)
    torch.testing.assert_close(made[-1].latents, stock(pipe, scale, size), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("scale", [1, 7])
@pytest.mark.parametrize("shift", [1, 3])
def test_a_flow_equals_its_own_pipeline(size: int, scale: float, shift: float) -> None:
    pipe = tiny.pipeline_3(shift=shift)
    made = ours(pipe, "euler", [Request(PROMPT, 3, Constant(scale))], size)
    torch.testing.assert_close(made[-1].latents, stock(pipe, scale, size), atol=1e-4, rtol=1e-4)


def test_the_empty_prompt_of_sdxl_is_zeros_where_the_pipeline_says_so(xl: object) -> None:
    last = ours(xl, "ddim", [Request(PROMPT, 0, Constant(0))])[-1].latents
    with_zeros = ours(tiny.pipeline_xl(zeros=False), "ddim", [Request(PROMPT, 0, Constant(0))])
    assert not torch.allclose(last, with_zeros[-1].latents, atol=1e-3)


def test_a_flows_estimates_come_from_its_velocity(sd3: object) -> None:
    """x = (1 - s) x0 + s noise and v = noise - x0, so x0 = x - s v and noise = x + (1 - s) v."""
    grid = scheduler(sd3, "euler", 6)
    first, *_, last = sample(sd3, [Request(PROMPT, 0, Constant(1))], grid)
    x = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(first.x0[0], x - grid.sigmas[0] * first.prediction[0])
    torch.testing.assert_close(last.x0, last.latents, atol=1e-5, rtol=1e-5)
    assert first.signals["magnitude"][0] > 0
    assert first.signals["magnitude_epsilon"][0] == pytest.approx(0, abs=1e-5)


def test_a_flows_transition_is_a_share_of_its_steps(sd3: object) -> None:
    steps = ours(sd3, "euler", [Request(PROMPT, 0, TwoPhase(0, 5, AtTimestep(500)))], steps=10)
    assert [step.t for step in steps] == [999, 900, 800, 700, 600, 500, 400, 300, 200, 100]
    assert [step.scales[0] for step in steps] == [0] * 5 + [5] * 5
    assert float(scheduler(sd3, "euler", 10).timesteps[5]) > 700  # its own are shifted


@pytest.mark.parametrize("key", METHODS)
def test_a_method_applies_to_sdxl_or_says_why_not(
    xl: object, detector: CopyDetector, key: str
) -> None:
    method = METHODS[key].guidance
    requests = [Request(PROMPT, 0, method), Request(PROMPT, 1, Constant(2))]
    if key == "pad":
        with pytest.raises(MemvizError, match="Leave pad out"):
            [*generate(xl, requests, steps=3)]
        return
    (one, _) = generate(xl, requests, steps=4, detector=detector)
    alone = [*generate(xl, requests[:1], steps=4, detector=detector)]
    torch.testing.assert_close(
        one.trajectory.latents, alone[0].trajectory.latents, atol=1e-3, rtol=1e-3
    )
    assert one.image.size == (32, 32)


@pytest.mark.parametrize("key", METHODS)
def test_a_method_applies_to_a_flow_or_says_why_not(sd3: object, key: str) -> None:
    requests = [Request(PROMPT, 0, METHODS[key].guidance)]
    if key in ("ren", "amg", "pad"):
        with pytest.raises(MemvizError, match=f"Leave {key} out"):
            [*generate(sd3, requests, steps=3, scheduler="euler")]
        return
    (one,) = generate(sd3, requests, steps=3, scheduler="euler")
    assert torch.isfinite(one.trajectory.latents).all()


@pytest.mark.parametrize("key", COSTLY)
def test_costly_signals_of_the_larger_classes(xl: object, sd3: object, key: str) -> None:
    request = [Request(PROMPT, 0, Constant(2))]
    (one,) = generate(xl, request, steps=2, extra=[key])
    assert key in one.signals
    if key in WATCHING:
        with pytest.raises(MemvizError, match="which this model does not have"):
            [*generate(sd3, request, steps=2, scheduler="euler", extra=[key])]
        return
    (one,) = generate(sd3, request, steps=2, scheduler="euler", extra=[key])
    assert key in one.signals


def test_other_schedulers_and_spacings_are_none_of_a_flow(sd3: object) -> None:
    with pytest.raises(MemvizError, match="flow; it has no noise schedule for DDIM"):
        scheduler(sd3, "ddim", 4)
    with pytest.raises(MemvizError, match="timesteps spaced leading"):
        scheduler(sd3, "euler", 4, "leading")


def test_a_flows_latents_are_decoded_with_their_shift(sd3: object) -> None:
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    vae = sd3.vae
    with torch.inference_mode():
        z = latents / vae.config.scaling_factor + vae.config.shift_factor
        expected = vae.decode(z).sample.clamp(-1, 1)
    torch.testing.assert_close(decode.decode(sd3, latents), expected)


@pytest.mark.parametrize(("name", "scheduler"), [("xl", "ddim"), ("sd3", "euler")])
def test_a_saved_pipeline_makes_a_run(
    name: str, scheduler: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    request.getfixturevalue(name).save_pretrained(tmp_path / "model")
    model = loading.load(str(tmp_path / "model"))
    parts = [p for p in model.pipe.components.values() if isinstance(p, torch.nn.Module)]
    assert model.parameters == sum(w.numel() for p in parts for w in p.state_dict().values())
    assert choose_decoder(model, "linear").network is not None
    asked = ComparisonRequest(
        [PROMPT], ["cfg", "stp"], steps=3, scheduler=scheduler, corpus="",
        model=str(tmp_path / "model"),
    )  # fmt: skip
    *_, last = compare(asked, tmp_path / "run")
    run = store.open_folder(last.snapshot().folder)
    assert run.record.state == "done" and run.record.model.hash == model.hash
    assert Image.open(run.folder / run.record.cells[0].image).size == (32, 32)
    with pytest.raises(MemvizError, match="memviz trains a StableDiffusionPipeline"):
        TrainableModel(Config(model=str(tmp_path / "model")), "cpu")
