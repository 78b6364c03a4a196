"""What a fine-tuning leaves: a pipeline folder for any user of diffusers, with a model card."""

from __future__ import annotations

import copy
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from memviz.data.corpus import bundled
from memviz.guidance.model_defaults import settings
from memviz.io import atomic
from memviz.io.silence import quietly
from memviz.training.config import MODES, Config

if TYPE_CHECKING:
    from memviz.data.corpus import Corpus
    from memviz.training.trainable_model import TrainableModel

KEPT = ("clip", "methods")  # of the first model's memviz.json; its bands are its own
LIBRARIES = ("torch", "diffusers", "transformers", "accelerate")
CARD = """---
library_name: diffusers
tags: [text-to-image, memorization]
---

# {title}

Fine-tuned by memviz from `{model}` (weights {hash}) on `{corpus}` ({pictures:,} pictures, hash
{corpus_hash}), mode `{mode}`: {about}.

```
{command}
```

{samples:,} samples in {steps:,} steps, {seconds:.0f} s of training on {device}.
{versions}.

## Memorization while it trained

{figures}
"""


def finish_unet(unet: Any) -> Any:  # noqa: ANN401
    """A UNet in half precision in main memory, with a LoRA folded in; the device gets no copy."""
    if getattr(unet, "peft_config", None):
        made = copy.deepcopy(unet).to("cpu").requires_grad_(False).eval()
        made.fuse_lora()
        made.unload_lora()
        return made.to(torch.float16)
    with torch.device("meta"):
        made = type(unet).from_config(unet.config)
    half = {name: value.to("cpu", torch.float16) for name, value in unet.state_dict().items()}
    made.load_state_dict(half, assign=True)
    return made.eval()


def save_adapter(folder: Path, unet: Any) -> None:  # noqa: ANN401
    """The LoRA of a UNet as `load_lora_weights` of any diffusers pipeline reads it."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import get_peft_model_state_dict

    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=layers)


def forget_paths(folder: Path) -> None:
    """Take out of a saved model where its parts once lay: it names folders of whoever made it."""
    for file in folder.rglob("config.json"):
        told = json.loads(file.read_text("utf-8"))
        if told.pop("_name_or_path", None) is not None:
            atomic.json(file, told, indent=2)


@contextmanager
def shareable(folder: Path) -> Iterator[Path]:
    """An empty folder to save a model in, which then stands at `folder` and names no other."""
    with atomic.folder(folder) as part, quietly("diffusers", "transformers"):
        yield part
        forget_paths(part)


def save_round(folder: Path, student: TrainableModel) -> Path:
    """What a round came to: the UNet, for PIPE+UNET, or the adapter where a LoRA is trained."""
    with shareable(folder) as part:
        if student.config.lora:
            save_adapter(part, student.pipe.unet)
        else:
            finish_unet(student.pipe.unet).save_pretrained(part, safe_serialization=True)
    return folder


def save_model(folder: Path, student: TrainableModel, corpus: Corpus, card: str) -> Path:
    """The whole pipeline and its card; settings of the first model go along on its own pictures."""
    known = settings(student.model.folder) if corpus.name in bundled() else {}
    own = {key: value for key, value in known.items() if key in KEPT}
    with shareable(folder) as part:
        pipe = copy.copy(student.pipe)
        pipe.unet = finish_unet(student.pipe.unet)
        pipe.vae, pipe.text_encoder = (
            copy.deepcopy(p).to("cpu", torch.float16) for p in (pipe.vae, pipe.text_encoder)
        )
        pipe.save_pretrained(part, safe_serialization=True)
        if student.config.lora:
            save_adapter(part, student.pipe.unet)
        atomic.json(part / "memviz.json", own)
        atomic.text(part / "README.md", card)
    return folder


def card(
    config: Config,
    student: TrainableModel,
    corpus: Corpus,
    command: str,
    looks: list[dict[str, Any]],
    seconds: float,
    judge: str = "",
) -> str:
    """The model card; `judge` names the descriptor that looked at the watched prompts."""
    return CARD.format(
        title=f"{Path(config.model).name}, fine-tuned ({config.mode})",
        model=config.model,
        hash=student.model.hash[:16],
        corpus=corpus.name,
        corpus_hash=corpus.hash[:16],
        pictures=len(corpus),
        mode=config.mode,
        about=MODES[config.mode],
        command=command,
        samples=config.samples,
        steps=config.steps,
        seconds=seconds,
        device=student.pipe.device.type,
        versions=", ".join(
            [f"Python {platform.python_version()}", *(f"{n} {version(n)}" for n in LIBRARIES)]
        ),
        figures=table(config, looks, judge) if looks else "No prompts were watched.",
    )


def table(config: Config, looks: list[dict[str, Any]], judge: str) -> str:
    """The figures of the first and the last look."""
    first, last = looks[0], looks[-1]
    lines = [
        "| prompts | | copied | similarity | magnitude | alignment |",
        "|---|---|---|---|---|---|",
    ]
    for group in last["groups"]:
        for when, look in (("before", first), (f"round {last['round']}", last)):
            figures = ("-" if v is None else f"{v:.3f}" for v in look["groups"][group].values())
            lines.append(f"| {group} | {when} | {' | '.join(figures)} |")
    how = f"{config.probe_steps} steps of ddim, one seed, similarity by {judge}"
    if any(row["alignment"] is not None for row in last["groups"].values()):
        how = how.removesuffix(".") + ", alignment by the demo's CLIP"
    return "\n".join(lines) + f"\n\n{how.removesuffix('.')}."
