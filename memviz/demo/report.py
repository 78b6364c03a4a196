"""The figures that the demo world is judged by: `python -m memviz demo-report`.

Everything is drawn from fixed seeds and the shipped files alone. Methods are at the parameters in
the model's `memviz.json`, which were chosen on every second prompt; the figures with `_other_half`
are of the prompts that had no part in the choice.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score

from memviz import resources
from memviz.data import prompts as data_prompts
from memviz.demo import copy_detection as demo_copy_detection
from memviz.demo import scenes
from memviz.demo.autoencoder import pixels
from memviz.demo.judges import through
from memviz.demo.world import World
from memviz.guidance.base import Guidance
from memviz.guidance.first_minimum import prominent_minimum
from memviz.guidance.model_defaults import own
from memviz.guidance.registry import CORE
from memviz.guidance.spec import MethodSpec
from memviz.io.paths import demo
from memviz.models import decode, loading
from memviz.retrieval.copy_detector import best_similarity
from memviz.sampling.generate import Generated, generate
from memviz.sampling.types import Request
from memviz.statistics import Estimate, estimate_auc, estimate_mean, estimate_share

STEPS = 50
SCHEDULER = "ddim"
SEEDS = (0, 1, 2, 3)
EDITED = 64  # held-out scenes whose edited copies are searched for
DISTRACTORS = 2_000  # corpus images among which they are searched

OTHERS = ("swapped", "heldout_near", "heldout_plain")

Note = Callable[[str], None]


class Report:
    """The demo's models and prompts, and the measurements made with them."""

    def __init__(
        self, note: Note = print, seeds: Sequence[int] = SEEDS, steps: int = STEPS
    ) -> None:
        self.note, self.seeds, self.steps = note, tuple(seeds), steps
        self.model = resources.load_model("demo")
        self.detector = resources.load_detector("demo-10k", "demo")
        self.clip = resources.load_clip()
        self.prompts = data_prompts.demo()
        self.own = own(self.model)

    def guidance(self, key: str) -> Guidance:
        """A method at this model's parameters."""
        return MethodSpec.parse(key, self.own).guidance

    def requests(self, group: str, keys: Sequence[str], seeds: Sequence[int]) -> list[Request]:
        """The rows of a prompt group under methods at this model's parameters."""
        return rows(self.prompts[group], [self.guidance(key) for key in keys], seeds)

    def make(
        self,
        requests: Sequence[Request],
        model: loading.Model | None = None,
        scheduler: str = SCHEDULER,
    ) -> list[Generated]:
        """Pictures of this model, or of another, each looked up in the corpus."""
        settings = {"steps": self.steps, "scheduler": scheduler, "detector": self.detector}
        return list(generate(model or self.model, requests, **settings))

    @cached_property
    def made(self) -> dict[tuple[str, str], list[Generated]]:
        """Finished pictures by prompt group and method."""
        plan = [("duplicated", CORE, self.seeds), ("heldout", CORE, self.seeds[:2])]
        plan += [(g, ("cfg",), self.seeds[:1]) for g in OTHERS]
        plan += [("heldout_single", ("cfg",), self.seeds)]
        found = {}
        for group, keys, seeds in plan:
            self.note(f"{group} under {', '.join(keys)}")
            methods = [self.guidance(key) for key in keys]
            made = self.by_method(self.prompts[group], methods, seeds)
            found |= {(group, key): some for key, some in zip(keys, made, strict=True)}
        return found

    def by_method(
        self, prompts: Sequence[str], methods: Sequence[Guidance], seeds: Sequence[int]
    ) -> list[list[Generated]]:
        """Pictures of all prompts and seeds, a list per method."""
        made = self.make(rows(prompts, methods, seeds))
        return [made[i :: len(methods)] for i in range(len(methods))]

    def similarity(self, made: Sequence[Generated]) -> np.ndarray:
        """Similarity of each picture to its nearest corpus image."""
        return np.array([best_similarity(m.matches) for m in made])

    def copied(self, made: Sequence[Generated]) -> Estimate:
        """Share of pictures at or above the threshold for a copy."""
        copies = self.similarity(made) >= self.detector.thresholds.copied
        return estimate_share(copies, [m.request.prompt for m in made])

    def copies(self) -> dict[str, Estimate]:
        """Copied shares of every method, and of plain guidance on the other prompt groups."""
        found = {"copied_cfg_duplicated": self.copied(self.made["duplicated", "cfg"])}
        others = [("duplicated", k) for k in CORE if k != "cfg"]
        found |= {f"copied_{k}": self.copied(self.made[g, k]) for g, k in others}
        half = {k: [m for m in self.made["duplicated", k] if self.unchosen(m)] for k in CORE}
        found |= {f"copied_{k}_other_half": self.copied(v) for k, v in half.items()}
        for group in ("heldout", *OTHERS):
            found[f"copied_cfg_{group}"] = self.copied(self.made[group, "cfg"])
        return found

    def unchosen(self, made: Generated) -> bool:
        """Whether a picture's prompt had no part in choosing the methods' parameters."""
        return self.prompts["duplicated"].index(made.request.prompt) % 2 == 1

    def alignments(self) -> dict[str, Estimate]:
        """Mean CLIP cosine of picture and prompt, per method and prompt group."""
        names = {"duplicated": "", "heldout": "_heldout"}
        return {
            f"alignment_{k}{names[g]}": self.alignment(self.made[g, k]) for g in names for k in CORE
        }

    def alignment(self, made: Sequence[Generated]) -> Estimate:
        """Mean CLIP cosine of each picture with its prompt."""
        prompts = [m.request.prompt for m in made]
        return estimate_mean(self.clip.score([m.image for m in made], prompts), prompts)

    def detection(self) -> dict[str, Estimate]:
        """AUC of the magnitude: duplicated against held-out titles and swapped captions.

        The first also in epsilon units, which a v-prediction model's early steps vanish in.
        """
        groups = ("duplicated", "heldout", "swapped")
        many, few, others = (len(self.prompts[g]) for g in groups)
        found = {}
        for signal in ("magnitude_epsilon", "magnitude"):
            yes, no, swapped = (
                np.array([m.signals[signal] for m in self.made[g, "cfg"]]) for g in groups
            )
            for name, k in (("k1", 1), ("k5", 5), ("all", None)):
                value = auc(yes[:, :k].mean(1), no[:, :k].mean(1))
                found[f"auc_{signal}_{name}"] = estimate_auc(value, many, few)
        return found | {
            "auc_caption_swap": estimate_auc(auc(yes[:, 0], swapped[:, 0]), many, others)
        }

    def transitions(self) -> dict[str, float | None]:
        """How often the magnitude has a first minimum, and at which step.

        `minimum_*` are of the dynamic transition's own rule on its own path, `prominent_*` of the
        prominent minima of plain guidance.
        """
        found = {}
        for group in ("duplicated", "heldout"):
            changes = [m.trajectory.transition for m in self.made[group, "dtp"]]
            switches = [c.step for c in changes if c and c.kind == "minimum"]
            curves = [m.signals["magnitude"] for m in self.made[group, "cfg"]]
            minima = [i for i in map(prominent_minimum, curves) if i is not None]
            for rule, steps in (("minimum", switches), ("prominent", minima)):
                found[f"{rule}_found_{group}"] = round(len(steps) / len(curves), 4)
                found[f"{rule}_step_median_{group}"] = float(np.median(steps)) if steps else None
        return found

    def autoencoder(self) -> dict[str, float]:
        """Peak signal-to-noise ratio of 256 fresh scenes, encoded and decoded."""
        x = pixels(np.stack([picture for _, picture in islice(self.fresh(), 256)]))
        error = (through(self.model.pipe.vae, x) - x).square().mean()
        return {"autoencoder_psnr_db": round(float(10 * torch.log10(4 / error)), 2)}

    def fresh(self) -> Iterator[tuple[str, np.ndarray]]:
        """Captions and scenes that nothing was trained on, uint8 (64, 64, 3)."""
        art = scenes.sprites(demo() / "sprites")
        return scenes.stream(99, art, World(tuple(art)).reserved)

    def readable(self) -> dict[str, float]:
        """Share of single-sprite pictures that CLIP gives the right sprite among all.

        Of held-out prompts, and of as many drawn scenes that went through the autoencoder: what
        CLIP misses there is its own fault.
        """
        made = self.made["heldout_single", "cfg"]
        drawn = list(islice((pair for pair in self.fresh() if single(pair[0])), len(made)))
        x = pixels(np.stack([picture for _, picture in drawn]))
        seen = decode.pictures(through(self.model.pipe.vae, x))
        captions = [m.request.prompt for m in made]
        return {
            "readable_heldout": self.named([m.image for m in made], captions),
            "readable_drawn": self.named(seen, [caption for caption, _ in drawn]),
        }

    def named(self, images: Sequence[Image.Image], captions: Sequence[str]) -> float:
        """Share of pictures of one sprite for which CLIP picks their caption's own."""
        names = scenes.names(demo() / "sprites")
        right = []
        for image, caption in zip(images, captions, strict=True):
            thing, rest = caption.split(" on ", 1)
            options = [f"{scenes.a(n)} on {rest}" for n in names]
            best = int(self.clip.table([image], options)[0].argmax())
            right.append(names[best] == thing.split()[1])
        return share(right)

    def copy_detection(self) -> dict[str, Any]:
        """Mean average precision of finding edited held-out scenes, beside two plain baselines."""
        originals = pixels(np.stack([picture for _, picture in islice(self.fresh(), EDITED)]))
        others = range(40, min(40 + DISTRACTORS, len(self.detector.corpus)))
        distractors = [self.detector.corpus.image(i) for i in others]
        looks = {
            "": self.detector.descriptor.embed,
            "_pixels": demo_copy_detection.pixel_rows,
            "_phash": demo_copy_detection.hash_rows,
        }
        found = demo_copy_detection.precisions(originals, distractors, looks)
        return {f"descriptor_map{name}": value for name, value in found.items()}

    def before(self) -> dict[str, Estimate]:
        """What the pretrained model, which saw no duplicates, copies on the same prompts."""
        model = resources.load_model("demo-pretrained")
        requests = self.requests("duplicated", ["cfg"], [0])
        return {"copied_pretrained": self.copied(self.make(requests, model))}

    def all(self) -> dict[str, Any]:
        """Every figure, with the settings that they hold for."""
        start = time.perf_counter()
        parts = (
            self.copies, self.alignments, self.detection, self.transitions, self.readable,
            self.autoencoder, self.copy_detection, self.before,
        )  # fmt: skip
        found: dict[str, Any] = {}
        for part in parts:
            self.note(part.__name__)
            found |= part()
        return (
            with_intervals(found) | self.context() | {"seconds": round(time.perf_counter() - start)}
        )

    def context(self) -> dict[str, Any]:
        """What the figures were measured with."""
        return {
            "example_prompt": self.prompts["duplicated"][0],
            "model": self.model.hash,
            "corpus": self.detector.corpus.hash,
            "descriptor": self.detector.descriptor.hash,
            "threshold": self.detector.thresholds.copied,
            "methods": [str(MethodSpec(k, self.guidance(k))) for k in CORE],
            "seeds": list(self.seeds),
            "steps": self.steps,
            "scheduler": SCHEDULER,
        }


def rows(
    prompts: Sequence[str], methods: Sequence[Guidance], seeds: Sequence[int]
) -> list[Request]:
    """Prompts x seeds x methods: rows of one noise stand together and share evaluations."""
    return [Request(p, s, m) for p in prompts for s in seeds for m in methods]


def single(caption: str) -> bool:
    """Whether a caption is of one sprite, on a plain background."""
    return caption.endswith(" background") and " and " not in caption


def share(values: Sequence[bool]) -> float:
    """The share that is true."""
    return round(float(np.mean(values)), 4)


def with_intervals(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as plain numbers, and the intervals of those that have one beside them."""
    estimates = {k: v.to_json() for k, v in figures.items() if isinstance(v, Estimate)}
    plain = {k: estimates[k]["mean"] if k in estimates else v for k, v in figures.items()}
    return plain | {"intervals": {k: [v["low"], v["high"]] for k, v in estimates.items()}}


def auc(yes: np.ndarray, no: np.ndarray) -> float:
    """Area under the ROC curve of `yes` scoring higher than `no`."""
    labels = [1] * len(yes) + [0] * len(no)
    return round(float(roc_auc_score(labels, np.concatenate([yes, no]))), 4)


def report(note: Note = print, steps: int = STEPS) -> dict[str, Any]:
    """All figures of the demo world (see the module's docstring)."""
    return Report(note, steps=steps).all()
