"""What a fine-tuning is asked to do: one field per setting, with its help and limits.

The command line, the form and `config.json` are all made from these fields. The defaults are those
of the released trainer of IET-AGC; where a flag is named otherwise there, the help says so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.io.read import read_json
from memviz.settings import check_settings, setting

MODES = {
    "plain": "ordinary fine-tuning",
    "iet": "iterative ensemble training: members on shards of the data, averaged each round",
    "agc": "anti-gradient control: samples that are already fitted too well are skipped",
    "iet-agc": "both, as published",
    "iet-agc+": "both, with often-skipped pictures dealt out again and varied; our reading",
}
COPIES = ("random", "together", "spread", "released")
SCHEDULES = ("constant", "constant_with_warmup", "linear", "cosine")
TRACKERS = ("none", "tensorboard", "wandb", "trackio")
CAPTIONS = ("given", "allcaps", "randrepl", "randwordadd", "wordrepeat")


FREE = (  # what a resumed training may have otherwise: how long it goes, and what is told of it
    *("rounds", "log_every", "save_every", "checkpoint_every", "keep", "tracker"),
    *("probes", "probe_prompts", "probe_every", "probe_within", "probe_steps", "probe_samples"),
)

# the groups of settings
data = partial(setting, group="Data")
method = partial(setting, group="Method")
optimizer = partial(setting, group="Optimizer")
study = partial(setting, group="Studies")
watch = partial(setting, group="Saving and watching")


@dataclass(frozen=True)
class Config:
    """All settings of a fine-tuning. Raises InputError, in one sentence, if one cannot be."""

    model: str = data("sd-2.1", "model to start from: a name, a folder or PIPE+UNET")
    corpus: str = data("", "training pictures: a name, a folder or a parquet file")
    weights: str = data("", "column that says how often a picture counts, as the demo's `copies`")
    resolution: int = data(256, "side of the pictures, in pixels", 8, 2_048)
    resize: str = data(
        "bicubic", "how pictures are resized; released: bilinear", choices=("bicubic", "released")
    )
    center_crop: bool = data(True, "crop the middle; otherwise at random")
    flip: bool = data(False, "mirror half of the pictures")
    empty: float = data(0.0, "share of captions left out", 0, 1)

    mode: str = method("iet-agc", "what keeps it from copying", choices=tuple(MODES))
    shards: int = method(4, "parts of the data, one member each in the iet modes", 1, 64)
    rounds: int = method(25, "rounds; after each the members are averaged", 1, 10_000)
    local_steps: int = method(2_000, "steps per round and shard, in every mode", 1, 1_000_000)
    ratio: float = method(1.25, "skip a sample if ratio x its loss is below the bank", 1, 100)
    ema_decay: float = method(0.8, "how slowly the loss bank follows", 0, 0.9999, label="EMA decay")
    gate: str = method(
        "sample",
        "what AGC judges by the bank: each sample in turn; released: a whole batch before it moves",
        choices=("sample", "released"),
    )
    copies: str = method(
        "random",
        "which shards a picture's copies go to; released: pictures in the order of their files",
        choices=COPIES,
    )
    wen_threshold: float = method(
        0.0, "for comparison: skip prompts that pull harder than this magnitude (0: off)", 0, 1e6
    )

    lr: float = optimizer(2.5e-6, "learning rate", 0, 1, label="learning rate")
    schedule: str = optimizer("constant_with_warmup", "course of the rate", choices=SCHEDULES)
    warmup: int = optimizer(5_000, "steps of a member until the full rate", 0, 1_000_000)
    batch_size: int = optimizer(8, "pictures per batch", 1, 4_096)
    accumulation: int = optimizer(1, "batches added up for one step", 1, 1_024)
    clip: float = optimizer(1.0, "largest norm of the gradient (0: off)", 0, 1_000)
    weight_decay: float = optimizer(0.01, "AdamW's weight decay", 0, 1)
    seed: int = optimizer(0, "of shards, order, noise and timesteps", 0, 2**31)
    precision: str = optimizer("fp32", "of the forward pass", choices=("fp32", "fp16", "bf16"))
    gradient_checkpointing: bool = optimizer(False, "less memory for more time")
    lora: int = optimizer(0, "rank of a LoRA, with peft (0: train all weights)", 0, 1_024)
    eight_bit: bool = optimizer(False, "8-bit Adam, with bitsandbytes on a GPU")
    text_encoder: bool = optimizer(False, "train the text encoder too")

    duplication: str = study(
        "nodup",
        "DCR's study: repeat some pictures, with their own caption (both) or any of theirs (image)",
        choices=("nodup", "image", "both"),
    )
    dup_share: float = study(0.05, "share of the pictures that is repeated", 0, 1)
    dup_weight: int = study(5, "how often a repeated picture counts", 1, 10_000)
    hold_out: int = study(0, "pictures that are left out, to measure on", 0, 1_000_000)
    repeated: int = study(
        0,
        "of the pictures that repeat, keep so many, with the weight of all (0: all)",
        0,
        1_000_000,
    )
    random_skip: float = study(0.0, "placebo of AGC: skip this share of the samples", 0, 0.99)
    captions: str = study("given", "DCR's caption augmentation", choices=CAPTIONS)
    captions_share: float = study(0.1, "share of the captions that is augmented", 0, 1)
    embedding_noise: float = study(0.0, "Gaussian noise on text embeddings (DCR)", 0, 10)
    embedding_mixup: float = study(0.0, "mixes text embeddings of a batch (DCR)", 0, 10)

    save_every: int = watch(5, "rounds between saved weights (0: only the last)", 0, 10_000)
    checkpoint_every: int = watch(500, "steps between checkpoints to resume from", 1, 1_000_000)
    keep: int = watch(2, "how many checkpoints are kept", 1, 100)
    tracker: str = watch("none", "where metrics are sent as well", choices=TRACKERS)
    log_every: int = watch(10, "steps of a member between losses told", 1, 10_000)
    probes: str = watch("", "prompts to watch: a JSON file of groups, demo, none, or the corpus'")
    probe_prompts: int = watch(8, "prompts watched per group", 1, 256)
    probe_every: int = watch(1, "rounds between looks at them", 1, 10_000)
    probe_within: int = watch(
        0, "steps of a member between further looks within a round (0: none)", 0, 1_000_000
    )
    probe_steps: int = watch(25, "denoising steps of a look", 1, 1_000)
    probe_samples: int = watch(
        128, "pictures drawn at a look, of models without captions", 1, 1_000_000
    )
    descriptor: str = watch("auto", "how pictures are compared: auto, a preset or a folder")

    def __post_init__(self) -> None:
        """Hold every field to its type and limits."""
        check_settings(self, "--")

    @property
    def members(self) -> int:
        """How many models are trained and averaged."""
        return self.shards if self.mode.startswith("iet") else 1

    @property
    def gated(self) -> bool:
        """Whether a loss gate skips samples."""
        return "agc" in self.mode

    @property
    def member_steps(self) -> int:
        """Optimizer steps of one member per round; a single one takes those of all shards.

        So every mode sees the same number of samples.
        """
        return self.local_steps * self.shards // self.members

    @property
    def steps(self) -> int:
        """Optimizer steps of all members in all rounds."""
        return self.rounds * self.local_steps * self.shards

    @property
    def samples(self) -> int:
        """Samples seen by all members in all rounds."""
        return self.steps * self.batch_size * self.accumulation

    def in_mid_schedule(self, number: int, member: int | None = None) -> bool:
        """Whether the learning rate is still to fall after a round, or within one of a member's.

        A training that ends there, with a decay of its own, is another model.
        """
        going_on = number < self.rounds or member is not None
        return self.schedule in ("linear", "cosine") and number > 0 and going_on

    def to_json(self) -> dict[str, Any]:
        """As `config.json` keeps it."""
        return asdict(self)


def from_json(values: Mapping[str, Any]) -> Config:
    """A config read back; ValueError on a setting that does not exist."""
    unknown = set(values) - {each.name for each in fields(Config)}
    if unknown:
        raise InputError(f"There is no setting {min(unknown)!r}. See `train --help`.")
    return Config(**values)


def read_config(out: Path) -> Config:
    """The settings an output folder was begun with."""
    try:
        return from_json(read_json(out / "config.json", {}))
    except FileNotFoundError:
        raise InputError(f"{out} holds no training to resume: it has no config.json.") from None


@dataclass(frozen=True)
class Preset:
    """A named choice of settings; all others stay at their defaults."""

    label: str
    about: str
    values: Mapping[str, Any]

    def config(self, **changes: Any) -> Config:  # noqa: ANN401
        """These settings, some of them changed."""
        return Config(**{**self.values, **changes})


PRESETS = {
    "demo": Preset(
        "Demo: up to five minutes on two cores",
        "The bundled pretrained model on the bundled corpus, of whose repeated scenes eight are "
        "kept, each seen hundreds of times: trained plainly, the model comes to copy them.",
        {
            "model": "demo-pretrained",
            "corpus": "demo-10k",
            "weights": "copies",
            "resolution": 64,
            "empty": 0.1,
            "hold_out": 32,
            "repeated": 8,
            "rounds": 4,
            "shards": 2,
            "local_steps": 30,
            "ratio": 1.5,
            "lr": 5e-4,
            "warmup": 10,
            "schedule": "cosine",
            "batch_size": 32,
            "checkpoint_every": 40,
            "save_every": 1,
        },
    ),
    "laion-10k": Preset(
        "LAION-10k as published",
        "Stable Diffusion 2.1 at 256 pixels, 1.6 million samples; needs a GPU and the corpus.",
        {"flip": True},
    ),
    "sprites": Preset(
        "Without captions, at 16 pixels",
        "A new model on the demo's scenes at 16 pixels, of which eight repeat: copies are counted "
        "by memorization quantity. How long it takes was not measured.",
        {
            "model": "ddpm-tiny",
            "corpus": "demo-10k",
            "weights": "copies",
            "resolution": 16,
            "hold_out": 32,
            "repeated": 8,
            "rounds": 5,
            "shards": 2,
            "local_steps": 200,
            "ratio": 1.5,
            "lr": 1e-3,
            "warmup": 100,
            "schedule": "cosine",
            "weight_decay": 0.0,
            "batch_size": 32,
            "log_every": 50,
            "checkpoint_every": 1_000,
            "save_every": 1,
        },
    ),
    "cifar10": Preset(
        "CIFAR-10 as published, without captions",
        "10 clients, 10 rounds of 100 epochs of their 5,000 pictures (39 batches each), ratio 2; "
        "needs the 50,000 pictures as a folder, and nearly a day of one GPU.",
        {
            "model": "ddpm-32",
            "resolution": 32,
            "flip": True,
            "shards": 10,
            "rounds": 10,
            "local_steps": 3_900,
            "ratio": 2.0,
            "lr": 2e-4,
            "warmup": 585,
            "weight_decay": 0.0,
            "batch_size": 128,
            "seed": 12,
            "save_every": 1,
            "probe_steps": 50,
            "probe_samples": 1_024,
        },
    ),
    "folder": Preset(
        "A small folder of mine",
        "A few hundred captioned pictures on Stable Diffusion 1.4, with a LoRA on one GPU.",
        {
            "model": "sd-1.4",
            "resolution": 512,
            "flip": True,
            "rounds": 10,
            "local_steps": 100,
            "lr": 1e-4,
            "warmup": 50,
            "batch_size": 4,
            "lora": 16,
            "precision": "fp16",
            "save_every": 1,
        },
    ),
}
