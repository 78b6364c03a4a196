"""Fine-tunings, and sweeps over their rounds, as jobs: what the tab and the command line start."""

import re
import shutil
from pathlib import Path

from memviz import jobs
from memviz.data import corpus as corpora
from memviz.errors import InputError, MemvizError
from memviz.io import user_config
from memviz.training.cli_flags import words
from memviz.training.config import Config
from memviz.training.data.entries import count_entries, suit

KIND, SWEEP, WATCH = "train", "rounds", "watch"
WATCH_SETTINGS = "corpus", "weights", "probes", "probe_prompts", "probe_steps", "descriptor"
BESIDE = "memviz-watch"  # where a watch writes, in the folder that it watches
OUT = "{job}/out"
GRACE = 120.0  # seconds for a step and a checkpoint


def command(config: Config, out: str) -> list[str]:
    """The exact command of a fine-tuning."""
    return jobs.verb("train", *words(config), "--out", out)


def suited(config: Config) -> Config:
    """The settings as the chosen corpus can have them; the same where there is no such corpus."""
    try:
        return suit(config, corpora.load(config.corpus))
    except MemvizError:
        return config


def start(config: Config, title: str = "", out: str = OUT) -> jobs.Job:
    """Begin a fine-tuning. Raises InputError if the corpus cannot be trained on so."""
    if not config.corpus:
        raise InputError("There is no corpus. Choose the pictures to train on.")
    count_entries(config, corpora.load(config.corpus))  # what cannot be is said here, not in a job
    name = title.strip() or f"{config.model} on {config.corpus}, {config.mode}"
    how = {"resume": ["--resume"], "grace": GRACE}
    return jobs.start(KIND, command(config, out), name, device(), **how)


def sweep(trained: jobs.Job) -> jobs.Job:
    """Begin to look at all rounds that a fine-tuning saved."""
    argv = jobs.verb(SWEEP, option(trained, "--out"), "--out", OUT)
    return jobs.start(SWEEP, argv, f"{trained.asked['title']}: its rounds", device())


def watch(folder: Path, config: Config, out: Path | None = None, seeds: str = "0") -> jobs.Job:
    """Begin to watch the training of another program in its folder.

    Raises InputError where the folder or the corpus is missing.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Name the one that the trainer saves to.")
    if not config.corpus:
        raise InputError("There is no corpus. Choose the pictures that the model is trained on.")
    named = Config(**{name: getattr(config, name) for name in WATCH_SETTINGS})
    place = out or folder / BESIDE
    told = ["--base", config.model, "--seeds", seeds, "--out", place.resolve()]
    argv = jobs.verb(WATCH, folder.resolve(), *words(named), *told)
    return jobs.start(WATCH, argv, f"{folder.resolve().name}, watched", device())


def register_model(worker: jobs.JobContext, model: Path) -> None:
    """Name the model that a job made, so that it can be chosen; nothing outside a job."""
    if worker.folder is None:
        return
    job = jobs.find(worker.folder.name)
    words = re.findall(r"[a-z0-9.]+", job.asked["title"].lower())
    name = "-".join([*words, job.id[-4:]])[-64:].lstrip(".-")
    user_config.add("trained", name, model)


def known() -> list[jobs.Job]:
    """All of them on this machine, newest first."""
    return [job for job in jobs.listing() if job.asked["kind"] in (KIND, SWEEP, WATCH)]


def option(job: jobs.Job, name: str) -> str:
    """The value of a flag in a job's command; empty where it is not given."""
    words = job.command
    return words[words.index(name) + 1] if name in words[:-1] else ""


def device() -> str:
    """What the jobs of this machine compete for."""
    return "cuda" if shutil.which("nvidia-smi") else "cpu"
