"""`python -m memviz export-descriptor PRESET`: fetched TorchScript weights to ONNX."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.cli.command import Verb, say

if TYPE_CHECKING:
    from torch import Tensor

    from memviz.retrieval.descriptors.descriptor import Descriptor, Network

TIMED = 8  # pictures together
ROUNDS = 3  # of them, of which the quickest counts: what else runs here only slows


def options(sub: argparse.ArgumentParser) -> None:
    """Which weights, and whose pictures set the ranges of the small one."""
    option = sub.add_argument
    option("preset", help="as sscd_disc_mixup, which must be fetched")
    option("--checkpoint", type=Path, metavar="FILE", help="weights other than the fetched ones")
    option("--trust", action="store_true", help="load weights whose checksum is unknown")
    option("--corpus", help="write 8-bit integers too, with the ranges of these pictures")
    option("--pictures", type=int, default=64, metavar="N",
           help="how many of them; as many again try it (default: %(default)s)")  # fmt: skip


def export(args: argparse.Namespace) -> dict[str, Any]:
    """Write what was asked for; how equal and how quick each is."""
    from memviz.errors import InputError
    from memviz.retrieval.descriptors import onnx_export, presets, weights
    from memviz.retrieval.descriptors.descriptor import load_torchscript
    from memviz.retrieval.descriptors.onnx_network import OnnxNetwork

    if args.pictures < 1:
        raise InputError(f"--pictures is {args.pictures}; give 1 or more.")
    preset = presets.find(args.preset.removesuffix(presets.INT8))
    original = load_torchscript(preset, args.checkpoint, trust=args.trust)
    pixels = prepared(args.corpus, original, 2 * args.pictures) if args.corpus else []
    shape = preset.preprocess.pixels(blank_picture()).shape
    file = weights.onnx_place(preset)
    difference = onnx_export.export_float(original.network, original.hash, file)
    say(f"{file} equals the original within {difference:.1g}.")
    full = OnnxNetwork(file)
    result = {
        "preset": preset.name,
        "shape": [*shape],
        "torchscript": {"milliseconds": milliseconds(original.network, shape)},
        "float": {
            "file": str(file),
            "difference": difference,
            "milliseconds": milliseconds(full, shape),
        },
    }
    if pixels:
        small = weights.onnx_place(preset, int8=True)
        onnx_export.export_int8(file, pixels[::2], small)
        network = OnnxNetwork(small)
        result["int8"] = {
            "file": str(small),
            "cosine": cosine(full, network, pixels[1::2]),
            "milliseconds": milliseconds(network, shape),
        }
    return result


def prepared(corpus: str, descriptor: "Descriptor", count: int) -> "list[Tensor]":
    """Pictures of a corpus, evenly spread over it."""
    import numpy as np

    from memviz.data import corpus as corpora

    found = corpora.load(corpus)
    places = np.unique(np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int))
    images = (found.image(found.ids[place]) for place in places)
    return [descriptor.preset.preprocess.pixels(image) for image in images]


def blank_picture() -> Any:  # noqa: ANN401 - a PIL picture
    """Of 4 to 3, as photographs are."""
    from PIL import Image

    return Image.new("RGB", (640, 480))


def milliseconds(network: "Network", shape: "tuple[int, ...]") -> float:
    """A picture, of TIMED together."""
    import torch

    pixels = torch.randn((TIMED, *shape), generator=torch.Generator().manual_seed(0))
    taken = []
    with torch.inference_mode():
        for _ in range(ROUNDS + 2):  # TorchScript compiles during its first two
            start = time.perf_counter()
            network(pixels)
            taken.append(time.perf_counter() - start)
    return round(min(taken[2:]) / TIMED * 1000, 1)


def cosine(full: "Network", small: "Network", pixels: "list[Tensor]") -> dict[str, float]:
    """Between the vectors of both for each picture."""
    import torch
    from torch.nn.functional import cosine_similarity

    found = torch.cat([cosine_similarity(full(one[None]), small(one[None])) for one in pixels])
    return {
        "mean": round(float(found.mean()), 4),
        "least": round(float(found.min()), 4),
        "pictures": len(pixels),
    }


def as_table(result: dict[str, Any]) -> str:
    """A line per form."""
    _, height, width = result["shape"]
    lines = [f"TorchScript: {result['torchscript']['milliseconds']} ms a picture, {width}×{height}"]
    full, small = result["float"], result.get("int8")
    lines.append(
        f"float: {full['milliseconds']} ms, equal within {full['difference']:.1g}. {full['file']}"
    )
    if small:
        told = small["cosine"]
        lines.append(
            f"int8: {small['milliseconds']} ms, cosine with float {told['mean']}, at least "
            f"{told['least']} over {told['pictures']} pictures. {small['file']}"
        )
    name = result["preset"]
    lines.append(f"{name} takes the float file on a CPU from now on.")
    return "\n".join([*lines, f"{name}:int8 names the other one."] if small else lines)


VERB = Verb(export, as_table, options)
