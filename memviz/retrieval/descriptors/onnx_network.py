"""A descriptor's network as an ONNX file: weights and operators but no code, run by onnxruntime.

What `python -m memviz export-descriptor` writes. It runs on the CPU, where it is quicker than the
TorchScript file that it was made from.
"""

from __future__ import annotations

from pathlib import Path

import torch

from memviz.retrieval.descriptors.presets import DescriptorError

PIXELS, ROWS = "pixels", "rows"  # its input (B, 3, h, w) and output (B, D)
SOURCE = "source_sha256"  # key of its metadata: the file that it equals within `onnx_export.EQUAL`
MISSING = (
    "onnxruntime is not installed. Install it with `pip install 'memviz[onnx]'`, which runs and "
    "makes ONNX files."
)
NEXT = "Make it with `python -m memviz export-descriptor`."


class OnnxNetwork:
    """Normalized pixels to vectors. Raises DescriptorError for what is no such file."""

    def __init__(self, file: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise DescriptorError(MISSING) from error
        if not file.is_file():
            raise DescriptorError(f"There is no {file}. {NEXT}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors; it warns of constants that it folds away
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
            self.source = self._session.get_modelmeta().custom_metadata_map.get(SOURCE, "")
        except Exception as error:  # onnxruntime's have no common class
            raise DescriptorError(f"{file} is not an ONNX file. {NEXT}") from error
        if [each.name for each in self._session.get_inputs()] != [PIXELS]:
            raise DescriptorError(f"{file} is not the ONNX file of a descriptor. {NEXT}")

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, 3, h, w) to (B, D), float32 on the CPU."""
        (rows,) = self._session.run([ROWS], {PIXELS: pixels.float().cpu().numpy()})
        return torch.from_numpy(rows)
