"""Comparisons: `python scripts/benchmark.py --json`.

`compare_vs_sequential`: four methods x four seeds in one go, over the same work as sixteen
separate loops that evaluate both predictions at each step, as research scripts do.
`overhead_share`: the part of a whole comparison spent outside UNet, autoencoder, descriptor and
text encoders. Both sides of the first ratio are measured in turn, so that a busy machine slows
both; figures are medians.
"""

import argparse
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.measure import environment, timed
from memviz import resources
from memviz.comparison.compare import compare
from memviz.comparison.plan import Plan, make_plan
from memviz.comparison.request import ComparisonRequest
from memviz.guidance.base import Observation
from memviz.guidance.model_defaults import own
from memviz.guidance.spec import make_specs
from memviz.models.parametrization import guided
from memviz.models.schedulers import scheduler
from memviz.sampling.loop import sample
from memviz.sampling.noise import noise
from memviz.sampling.types import Request
from memviz.signals.free import magnitude

PROMPT = "a fox and a cactus on a blue background"
METHODS = ("cfg", "stp", "dtp", "og")
SEEDS = (0, 1, 2, 3)


def options(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("--model", default="demo", help="a name or a folder (%(default)s)")
    parser.add_argument("--corpus", default="demo-10k", help="'' for none (%(default)s)")
    parser.add_argument("--descriptor", default="demo", help="how pictures are compared")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--scheduler", default="ddim")
    parser.add_argument("--repeats", type=int, default=5, help="at least (%(default)s)")


def measured(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    model = resources.load_model(args.model)
    ask = make_request(args)
    requests = [Request(p, s, g) for p, _, g, s in ask.cells(own(model))]

    def fresh() -> Any:  # noqa: ANN401 - a diffusers scheduler
        return scheduler(model.pipe, args.scheduler, args.steps)

    return {
        **ratio(model.pipe, requests, fresh, args.repeats),
        **overhead(args),
        "goals": {"compare_vs_sequential": 0.16, "overhead_share": 0.04},
        "asked": {"methods": METHODS, "seeds": SEEDS, "steps": args.steps}
        | {"scheduler": args.scheduler, "repeats": args.repeats},
        "environment": environment(model),
    }


def make_request(args: argparse.Namespace) -> ComparisonRequest:
    """Four methods on four seeds."""
    return ComparisonRequest(
        [args.prompt],
        make_specs(METHODS),
        SEEDS,
        steps=args.steps,
        scheduler=args.scheduler,
        model=args.model,
        corpus=args.corpus,
        descriptor=args.descriptor,
    )


def ratio(
    pipe: Any,  # noqa: ANN401
    requests: list[Request],
    fresh: Callable[[], Any],
    repeats: int,
) -> dict[str, Any]:
    """Both ways in turn, after one round that is not counted."""
    ways = {"together": [], "sequential": []}
    calls, furthest = {}, 0.0
    for round_ in range(repeats + 1):
        together = timed(lambda: last(sample(pipe, requests, fresh())))
        alone = timed(lambda: [separate(pipe, request, fresh()) for request in requests])
        if round_:
            ways["together"].append(together[0])
            ways["sequential"].append(alone[0])
        calls = {"together": together[1].evaluations, "sequential": sum(n for _, n in alone[1])}
        rows = torch.cat([x for x, _ in alone[1]])
        furthest = max(furthest, float((rows - together[1].latents).abs().max()))
    seconds = {way: median(values) for way, values in ways.items()}
    return {
        "compare_vs_sequential": seconds["together"] / seconds["sequential"],
        "unet_evaluations": calls,
        "seconds": seconds,
        "rounds": ways,
        "largest_difference": furthest,
    }


@torch.inference_mode()
def separate(pipe: Any, request: Request, steps: Any) -> tuple[torch.Tensor, int]:  # noqa: ANN401
    """One picture in the way of the research scripts: both predictions at each step."""
    x = noise(pipe, [request.seed]).to(pipe.device, pipe.unet.dtype) * steps.init_noise_sigma
    cond, uncond = pipe.encode_prompt([request.prompt], pipe.device, 1, True, [""])
    text, seen = torch.cat([uncond, cond]), []
    for t in steps.timesteps:
        both = torch.cat([x, x]).contiguous(memory_format=torch.channels_last)
        low, full = pipe.unet(both, t, encoder_hidden_states=text, return_dict=False)[0].chunk(2)
        seen.append(Observation(int(t), {"magnitude": magnitude(low, full).item()}))
        mixed = guided(low, full, torch.tensor([request.guidance.scale(seen)]))
        x = steps.step(mixed, t, x, return_dict=False)[0]
    return x, 2 * len(seen)


def overhead(args: argparse.Namespace) -> dict[str, Any]:
    """Whole comparisons, files and all: the share of time in no network."""
    ask = make_request(args)
    shares, totals = [], []
    for round_ in range(args.repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            clock, place = Clock(), Path(folder)
            with clock.on(*networks(make_plan(ask))):  # what is loaded stays loaded
                total, _ = timed(lambda place=place: last(compare(ask, place)))
        if round_:
            shares.append(1 - clock.seconds / total)
            totals.append(total)
    return {"overhead_share": median(shares), "compare_seconds": median(totals)}


class Clock:
    """Seconds spent inside some calls; a call within a call counts once."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now, self.seconds, self.depth = now, 0.0, 0

    @contextmanager
    def on(self, *calls: tuple[Any, str]) -> Iterator[None]:
        """Time these (object, method) pairs for a while."""
        with ExitStack() as stack:
            for owner, name in calls:
                stack.callback(self.wrap(owner, name))
            yield

    def wrap(self, owner: Any, name: str) -> Callable[[], None]:  # noqa: ANN401
        """Put a timed call in place of the own one; what takes it away again."""
        own = getattr(owner, name)
        object.__setattr__(owner, name, lambda *args, **more: self.timed(own, *args, **more))
        return lambda: object.__delattr__(owner, name)

    def timed(self, call: Callable, *args: Any, **more: Any) -> Any:  # noqa: ANN401
        """Pass the call on."""
        self.depth += 1
        start = self.now()
        try:
            return call(*args, **more)
        finally:
            self.depth -= 1
            self.seconds += 0 if self.depth else self.now() - start


def networks(plan: Plan) -> list[tuple[Any, str]]:
    """The networks that a comparison calls, and by which method."""
    pipe = plan.model.pipe
    found = [(pipe.unet, "forward"), (pipe.text_encoder, "forward"), (pipe.vae, "decode")]
    if plan.detector is not None:
        network = plan.detector.descriptor.network
        found.append((network, "forward"))
    if plan.clip:
        clip = resources.load_clip(plan.clip)._model
        found += [(clip, "get_image_features"), (clip, "get_text_features")]
    return found


def last(items: Iterator[Any]) -> Any:  # noqa: ANN401
    """Read to the end."""
    return deque(items, maxlen=1).pop()


def lines(result: dict[str, Any]) -> str:
    """The figures for people."""
    calls, seconds = result["unet_evaluations"], result["seconds"]
    return (
        f"together / one after another: {result['compare_vs_sequential']:.3f} (goal 0.16): "
        f"{seconds['together']:.2f} s / {seconds['sequential']:.2f} s, "
        f"{calls['together']} / {calls['sequential']} UNet evaluations\n"
        f"outside the networks: {result['overhead_share']:.1%} (goal 4 %) "
        f"of {result['compare_seconds']:.2f} s\n{result['environment']}"
    )
