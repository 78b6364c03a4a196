"""Pictures by the thousand into a folder, in DCR's layout, whatever stops it in between.

`generations/0.png, 1.png, ...` (all pictures of the first prompt, then of the second) and
`prompts.txt` with a line per prompt. Pictures are made in fixed groups; a group that was broken
off is made again with the same company and only what is missing is written, so that a resumed
folder equals an unbroken one, and two processes that share the groups make what one makes.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memviz.comparison.request import check_size
from memviz.errors import InputError
from memviz.guidance.mitigation import remedy
from memviz.guidance.model_defaults import own
from memviz.guidance.spec import MethodSpec
from memviz.io import atomic
from memviz.io.images import png_parameters
from memviz.models.loading import check_dtype
from memviz.models.schedulers import check_spacing

if TYPE_CHECKING:
    from PIL import Image

    from memviz.models.loading import Model

ROWS = 32  # pictures that are denoised together
SETTINGS = "settings.json"


@dataclass(frozen=True)
class Bulk:
    """What to make: every prompt with each seed by one method."""

    prompts: Sequence[str]
    method: str = "cfg"
    model: str = "demo"
    seeds: Sequence[int] = (0,)
    seeds_by_row: bool = False  # each prompt has seeds of its own: a drawn prompt may come twice
    size: int | None = None  # pixels; none: the model's own
    scheduler: str = "ddim"
    steps: int = 50
    corpus: str = "demo-10k"  # for methods that look their estimates up
    descriptor: str = "demo"
    batch: int = ROWS
    spacing: str = ""
    dtype: str = ""

    def __post_init__(self) -> None:
        """Say what is wrong before anything is loaded."""
        MethodSpec.parse(self.method)
        for what, values in (("prompts", self.prompts), ("seeds", self.seeds)):
            if not values:
                raise InputError(f"There are no {what}. Give at least one.")
        if self.batch < 1:
            raise InputError(f"The batch is {self.batch}. Give a number from 1 on.")
        check_size(self.size)
        check_spacing(self.spacing)
        check_dtype(self.dtype)

    def __len__(self) -> int:
        return len(self.prompts) * len(self.seeds)

    def picture(self, number: int) -> tuple[str, int]:
        """Prompt and seed of a picture."""
        row, which = divmod(number, len(self.seeds))
        step = row * len(self.seeds) if self.seeds_by_row else 0
        return self.prompts[row], self.seeds[which] + step


@dataclass(frozen=True)
class Share:
    """This process among those that fill a folder together."""

    rank: int = 0
    count: int = 1

    @classmethod
    def from_env(cls) -> "Share":
        """As `accelerate launch` and `torchrun` say it, on the graphics card meant for it."""
        found = cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
        if found.count > 1:
            import torch

            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        return found


ALONE = Share()


def method_folder(out: Path, method: str, many: bool) -> Path:
    """Where the pictures of a method go: a folder of its own where there are many methods."""
    return out / re.sub(r"[^\w.-]+", "-", method).strip("-") if many else out


def picture_file(folder: Path, number: int) -> Path:
    """Where a picture stands."""
    return folder / "generations" / f"{number}.png"


def missing_pictures(bulk: Bulk, folder: Path) -> list[int]:
    """The numbers of the pictures that are not there yet."""
    made = {file.stem for file in (folder / "generations").glob("*.png")}
    return [number for number in range(len(bulk)) if str(number) not in made]


def fill_folder(bulk: Bulk, folder: Path, share: Share = ALONE) -> Iterator[int]:
    """Make what is missing of this process's groups; yields how many of its pictures are there.

    Raises InputError if the folder holds pictures that were made with other settings.
    """
    from memviz import resources

    missing = set(missing_pictures(bulk, folder))
    groups = range(share.rank * bulk.batch, len(bulk), share.count * bulk.batch)
    numbers = [range(start, min(start + bulk.batch, len(bulk))) for start in groups]
    done = sum(number not in missing for group in numbers for number in group)
    yield done
    model = resources.load_model(bulk.model, bulk.dtype)
    method = MethodSpec.parse(bulk.method, own(model))
    prepare_folder(bulk, folder, {"model": model.hash, "method": str(method)})
    for group in numbers:
        wanted = missing & set(group)
        if not wanted:
            continue
        made = make_group(bulk, model, method, group)
        for number, (image, about) in zip(group, made, strict=True):
            if number in wanted:
                write_picture(picture_file(folder, number), image, about)
        done += len(wanted)
        yield done


def make_group(
    bulk: Bulk, model: "Model", method: MethodSpec, group: range
) -> Iterator[tuple["Image.Image", dict[str, Any]]]:
    """The pictures of a group, denoised together, each with what is written into its file."""
    from memviz import resources
    from memviz.sampling.generate import denoise, finish
    from memviz.sampling.types import Request

    pairs = [bulk.picture(number) for number in group]
    start = time.perf_counter()
    looks = remedy(method.guidance).looks_up
    detector = resources.load_detector(bulk.corpus, bulk.descriptor) if looks else None
    denoised = denoise(
        model,
        [Request(p, s, method.guidance) for p, s in pairs],
        steps=bulk.steps,
        scheduler=bulk.scheduler,
        spacing=bulk.spacing,
        size=bulk.size,
        detector=detector,
        measure=False,
    )
    made = finish(model, denoised)
    seconds = (time.perf_counter() - start) / len(pairs)
    for one in made:
        yield (
            one.image,
            {
                "prompt": one.request.prompt,
                "seed": one.request.seed,
                "method": str(method),
                "model": {"name": model.name, "hash": model.hash},
                "steps": bulk.steps,
                "scheduler": bulk.scheduler,
                "evaluations": one.trajectory.evaluations,
                "seconds": round(seconds, 4),
            },
        )


def prepare_folder(bulk: Bulk, folder: Path, made_by: dict[str, str]) -> None:
    """Write prompts and settings, or check that those that are there are the same."""
    lines = "".join(f"{' '.join(prompt.split())}\n" for prompt in bulk.prompts)
    asked = asdict(bulk) | made_by | {"prompts": sha256(lines.encode()).hexdigest()}
    asked["seeds"] = list(bulk.seeds)
    file = folder / SETTINGS
    if file.is_file():
        there = json.loads(file.read_text("utf-8"))
        for name, value in asked.items():
            if name != "batch" and (there.get(name) or None) != (value or None):
                raise InputError(
                    f"{folder} holds pictures made with another {name}: {there.get(name)}, not "
                    f"{value}. Name another folder."
                )
        return
    (folder / "generations").mkdir(parents=True, exist_ok=True)
    atomic.text(folder / "prompts.txt", lines)
    atomic.json(file, asked)


def write_picture(file: Path, image: "Image.Image", about: dict[str, Any]) -> None:
    """A PNG that says how it was made."""
    settings = {
        "Steps": about["steps"],
        "Sampler": about["scheduler"],
        "Method": about["method"],
        "Seed": about["seed"],
        "Model": about["model"]["name"],
    }
    with atomic.written(file) as part:
        image.save(part, "PNG", pnginfo=png_parameters(about["prompt"], settings, about))


def read_about(file: Path) -> dict[str, Any]:
    """What `write_picture` wrote into a picture; empty where there is nothing of it."""
    from PIL import Image

    with Image.open(file) as image:
        try:
            found = json.loads(getattr(image, "text", {}).get("memviz", "{}"))
        except ValueError:
            return {}
    return found if isinstance(found, dict) else {}
