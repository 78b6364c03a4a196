"""What a protocol needs before any work, and what of it is not on this machine."""

from collections.abc import Sequence
from pathlib import Path

from memviz.data import corpus as corpora
from memviz.data import prompts
from memviz.errors import MemvizError
from memviz.evaluation.columns import COLUMNS, DETECTION
from memviz.evaluation.prompt_source import IMAGENETTE as IMAGENETTE
from memviz.evaluation.protocols import Need, Protocol
from memviz.retrieval.clip_choice import DEMO, NAMES

INCEPTION = "inception"


class MissingPart(MemvizError):
    """What has to be fetched or named first; `needs` has each by itself."""

    def __init__(self, protocol: str, needs: Sequence[Need]) -> None:
        self.needs = tuple(needs)
        listed = "; ".join(f"{need.part}: {need}" for need in needs)
        super().__init__(f"{protocol} needs what is not on this machine. {listed}.")


def missing_needs(protocol: Protocol, images: bool = False) -> list[Need]:
    """The parts that are not here; with `images`, pictures are there and no model is needed."""
    judges = {COLUMNS[name].judge for name in protocol.columns}
    of_training = any(COLUMNS[name].corpus for name in protocol.columns)
    detects = any(name in DETECTION for name in protocol.columns)
    absent = {
        "model": not images and not _has_model(protocol.model),
        "prompts": not images and not _has_prompts(protocol.prompts),
        "ordinary": detects and not _has_prompts(protocol.ordinary),
        "corpus": of_training and not _has_corpus(protocol.corpus),
        "descriptor": "descriptor" in judges and not _has_descriptor(protocol.descriptor),
        "clip": "clip" in judges and not _has_clip(protocol.clip),
        INCEPTION: INCEPTION in judges and not _has_inception(),
    }
    return [describe_need(protocol, part) for part, missing in absent.items() if missing]


def describe_need(protocol: Protocol, part: str) -> Need:
    """As the protocol says it, or in general words."""
    if part == INCEPTION and protocol.need(part) is None:
        return _inception()
    named = getattr(protocol, part, "")
    usual = f"{named!r} is not here" if named else f"none is named: give --{part}"
    return protocol.need(part) or Need(part, usual)


def available_columns(protocol: Protocol, missing: Sequence[Need]) -> tuple[str, ...]:
    """The columns that do without these parts."""
    parts = {need.part for need in missing}
    return tuple(
        name
        for name in protocol.columns
        if COLUMNS[name].judge not in parts and not (COLUMNS[name].corpus and "corpus" in parts)
    )


def _inception() -> Need:
    from memviz.evaluation.metrics.inception import BYTES, FILE, LICENSE, URL, place

    return Need(
        INCEPTION, f"FID's Inception, {FILE}, put at {place()}", URL, f"{BYTES:,} bytes", LICENSE
    )


def _has_model(name: str) -> bool:
    """A bundled name, a folder, or a hub id that was fetched before."""
    from memviz.models import hub, loading

    if not name:
        return False
    source = loading.find(name)
    if loading.is_path(source.places[0]):
        return Path(source.places[0]).expanduser().exists()
    return hub.cached(source.places) is not None


def _has_prompts(place: str) -> bool:
    if not place:
        return False
    if place == "imagenette" or place.partition(":")[0] == "demo":
        return bool(prompts.demo()) or place == "imagenette"
    return Path(place).expanduser().exists() or _has_corpus(place)


def _has_corpus(place: str) -> bool:
    if not place:
        return False
    named = corpora.known().get(place)
    return (Path(named) if named else Path(place).expanduser()).exists()


def _has_descriptor(name: str) -> bool:
    from memviz.retrieval.descriptors import weights
    from memviz.retrieval.descriptors.presets import PRESETS

    if name in PRESETS:
        return weights.place(PRESETS[name]).is_file()
    return name == "demo" or Path(name).expanduser().is_dir()


def _has_clip(name: str) -> bool:
    from memviz.models import hub

    name = NAMES.get(name, name)
    return (
        name in ("", DEMO)
        or Path(name).expanduser().is_dir()
        or hub.cached((name,), "config.json") is not None
    )


def _has_inception() -> bool:
    from memviz.evaluation.metrics.inception import place

    return place().is_file()
