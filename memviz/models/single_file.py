"""Whole models in one file, as A1111, ComfyUI and kohya's scripts keep them.

Such a file holds weights alone. How they are put together, the tokenizers and the noise schedule
are those of a pipeline in diffusers' layout: a named one of the same architecture, of which the
small files are fetched, or the one that is named before it, "PIPE+model.safetensors".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.io.paths import expand
from memviz.models.files import PICKLES, ModelError, read_header, read_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memviz.models.protocols import Pipe

UNET = "model.diffusion_model."
FIRST = f"{UNET}input_blocks.0.0.weight"  # (out, in, 3, 3)
MARKS = {  # what tells an architecture: a tensor's name begins so
    "StableDiffusion3Pipeline": (f"{UNET}joint_blocks.", "joint_blocks."),
    "StableDiffusionXLPipeline": ("conditioner.embedders.1.",),
    "sd-2.1": ("cond_stage_model.model.",),
    "sd-1.4": ("cond_stage_model.transformer.",),
}
PATTERN = {  # the named model whose small files an architecture takes, and its pipeline's class
    "StableDiffusion3Pipeline": ("sd-3.5-medium", "StableDiffusion3Pipeline"),
    "StableDiffusionXLPipeline": ("sdxl", "StableDiffusionXLPipeline"),
    "sd-2.1": ("sd-2.1", "StableDiffusionPipeline"),
    "sd-1.4": ("sd-1.4", "StableDiffusionPipeline"),
}


def is_file(place: str) -> bool:
    """Whether a place is a file rather than a folder; one of a kind that is refused, too."""
    path = expand(place)
    return path.suffix.lower() in (".safetensors", *PICKLES) and not path.is_dir()


def read_pattern(file: Path) -> tuple[str, str]:
    """The named model whose architecture a file has, and the class of its pipeline.

    Raises ModelError for a file that holds no text-to-image model that memviz knows.
    """
    if not file.is_file():
        raise ModelError(f"No such file: {file}. Check the spelling.")
    tensors = read_header(file)
    found = next((kind for kind, begins in MARKS.items() if _has(tensors, begins)), None)
    if found is None:
        raise ModelError(
            f"{file} holds no whole Stable Diffusion model: its tensors are named "
            f"{next(iter(tensors), 'nothing')!r} and so on. A LoRA is given as BASE+{file.name}."
        )
    reads = [*tensors.get(FIRST, {"shape": []})["shape"], 4, 4][1]
    if reads != 4:
        kind = "inpainting" if reads == 9 else "changing pictures"
        raise ModelError(
            f"The UNet in {file} reads {reads} channels, not 4: it is made for {kind}. Give the "
            "text-to-image model that it was made from."
        )
    return PATTERN[found]


def load_file(file: Path, folder: Path, **options: Any) -> Pipe:  # noqa: ANN401
    """The pipeline of a file, put together as the one in `folder` is.

    Raises ModelError where that is of another architecture.
    """
    import diffusers

    _, wanted = read_pattern(file)
    found = read_index(folder)["_class_name"]
    if found != wanted:
        raise ModelError(
            f"{file} is a {wanted}, and {folder} a {found}. Name a pipeline of the same kind "
            "before the +."
        )
    return getattr(diffusers, found).from_single_file(
        str(file), config=str(folder), local_files_only=True, **options
    )


def _has(tensors: Mapping[str, Any], begins: tuple[str, ...]) -> bool:
    return any(name.startswith(begins) for name in tensors)
