"""A TorchScript descriptor to ONNX: in floating point, equal to it, and in 8-bit integers.

Only what torch's TorchScript exporter takes: the newer one traces Python, of which a TorchScript
file has none.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import normalize

from memviz.io import atomic
from memviz.retrieval.descriptors.onnx_network import MISSING, PIXELS, ROWS, SOURCE, OnnxNetwork
from memviz.retrieval.descriptors.presets import DescriptorError

if TYPE_CHECKING:
    from memviz.retrieval.descriptors.descriptor import Network

EQUAL = 1e-3  # largest difference of a unit vector's component from the original
SHAPES = ((2, 3, 288, 288), (1, 3, 224, 320))  # on which it is tried


def export_float(network: Network, source: str, out: Path) -> float:
    """Write `network` to `out`, which is put in place only if it is equal; its difference.

    `source` is the SHA-256 of the file that the network came from. Raises DescriptorError where
    the two differ by more than EQUAL, or a library is missing.
    """
    _require_onnx()
    if not isinstance(network, torch.jit.ScriptModule):
        raise DescriptorError("Only a TorchScript network can be exported. Name SSCD's.")
    with atomic.written(out) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own: old, and blind to a script's names
        torch.onnx.export(
            network,
            (torch.zeros(SHAPES[0]),),
            str(part),
            dynamo=False,
            input_names=[PIXELS],
            output_names=[ROWS],
            dynamic_axes={PIXELS: {0: "count", 2: "height", 3: "width"}, ROWS: {0: "count"}},
        )
        _note_source(part, source)
        difference = compare_networks(network, OnnxNetwork(part))
        if not difference <= EQUAL:
            raise DescriptorError(
                f"The ONNX file differs from the original by {difference:.2g}, more than "
                f"{EQUAL:g}. Nothing was kept; use the TorchScript file."
            )
    return difference


def compare_networks(network: Network, other: Network) -> float:
    """Largest difference between the unit vectors of two networks on noise of several shapes."""
    random = torch.Generator().manual_seed(0)
    pixels = [torch.randn(shape, generator=random) for shape in SHAPES]
    with torch.inference_mode():
        pairs = [(normalize(network(x), dim=1), normalize(other(x), dim=1)) for x in pixels]
    return max(float((a - b).abs().max()) for a, b in pairs)


def export_int8(full: Path, pixels: Sequence[torch.Tensor], out: Path) -> None:
    """Write the ONNX file `full` with 8-bit weights and activations.

    The activations' ranges are those over `pixels`, pictures (3, h, w) as the preset prepares them.
    """
    _require_onnx()
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quant_pre_process,
        quantize_static,
    )

    class Pictures(CalibrationDataReader):
        def __init__(self) -> None:
            self._left: Iterator[torch.Tensor] = iter(pixels)

        def get_next(self) -> dict[str, np.ndarray]:
            one = next(self._left, None)
            return {} if one is None else {PIXELS: one[None].numpy()}

    with atomic.written(out) as part, TemporaryDirectory() as aside:
        folded = Path(aside) / full.name
        quant_pre_process(full, folded, skip_symbolic_shape=True)
        quantize_static(
            str(folded),
            str(part),
            Pictures(),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


def _note_source(file: Path, source: str) -> None:
    import onnx

    model = onnx.load(file)
    onnx.helper.set_model_props(model, {SOURCE: source})
    onnx.save(model, file)


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401 - both come with the extra
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise DescriptorError(MISSING) from error
