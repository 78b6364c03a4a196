"""The official descriptor files: where they are kept, which are known, and how they are fetched."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path

from memviz.io import atomic
from memviz.io.hashing import file_hash
from memviz.io.paths import expand, home
from memviz.io.read import DamagedFile, read_record
from memviz.retrieval.descriptors.presets import (
    INT8_ONNX,
    ONNX,
    TORCHSCRIPT,
    DescriptorError,
    Preset,
)

CHUNK = 2**20  # bytes
QUIET = 60  # seconds without a byte after which a download is given up


def place(preset: Preset) -> Path:
    """Where the file of a preset is kept."""
    return home() / "descriptors" / preset.checkpoint


def onnx_place(preset: Preset, int8: bool = False) -> Path:
    """Where the file exported from a preset's is kept."""
    name = preset.checkpoint.replace(TORCHSCRIPT, INT8_ONNX if int8 else ONNX)
    return home() / "descriptors" / name


def onnx_file(preset: Preset, device: str) -> Path | None:
    """The ONNX file to load a preset from: its only one, or the quicker where that can run."""
    if preset.checkpoint.endswith(ONNX):
        return place(preset)
    file = onnx_place(preset)
    runs = device == "cpu" and find_spec("onnxruntime") is not None
    return file if file.is_file() and (runs or not place(preset).is_file()) else None


def is_here(preset: Preset) -> bool:
    """Whether a preset can be loaded without fetching anything."""
    return place(preset).is_file() or onnx_place(preset).is_file()


def known(preset: Preset) -> set[str]:
    """Checksums under which a preset's file may be loaded: the pinned and the user's own."""
    return {hash for hash in (preset.sha256, _recorded().get(preset.checkpoint)) if hash}


def unknown(preset: Preset, file: Path) -> str:
    """Why a file is not loaded."""
    wanted = f"wanted {preset.sha256}" if preset.sha256 else "and none is pinned for this preset"
    return (
        f"{file} has checksum {file_hash(file)}, {wanted}. A TorchScript file can run any code: "
        f"only if you know where it comes from, `python -m memviz fetch {preset.name} --trust` "
        "records it (--from FILE takes one that is here)."
    )


def fetch(
    preset: Preset, source: str | None = None, trust: bool = False
) -> Iterator[tuple[int, int]]:
    """Get a preset's file from its URL, another URL or a path; yields bytes so far and in all.

    Goes on where a broken download stopped. The file takes its place only if its checksum is
    known, or if `trust` is given, which records it. Raises DescriptorError otherwise.
    """
    if preset.url is None:
        raise DescriptorError(f"{preset.name} needs no file: it is complete as it is.")
    target, source = place(preset), source or preset.url
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    is_url = "://" in source
    yield from _download(source, part) if is_url else _copy(expand(source), part)
    found = file_hash(part)
    if found not in known(preset) and not trust:
        said = unknown(preset, part)
        part.unlink()
        raise DescriptorError(f"{said} Nothing was kept.")
    if found not in known(preset):
        _record(preset.checkpoint, found)
    part.replace(target)


def _download(url: str, part: Path) -> Iterator[tuple[int, int]]:
    have = total = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=QUIET) as answer:
            resumed = answer.status == HTTPStatus.PARTIAL_CONTENT
            have = have if resumed else 0
            total = have + int(answer.headers.get("Content-Length") or 0)
            with part.open("ab" if resumed else "wb") as file:
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    yield have, total
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # it was whole already
            raise DescriptorError(f"{url} answered {error.code} {error.reason}.") from error
    except OSError as error:
        kept = f" {have:,} bytes are kept; the same command goes on." if have else ""
        raise DescriptorError(f"{url} cannot be fetched: {error}.{kept}") from error
    if have < total:
        raise DescriptorError(
            f"{url} broke off at {have:,} of {total:,} bytes. Try again to go on."
        )


def _copy(file: Path, part: Path) -> Iterator[tuple[int, int]]:
    """A file that is here already; a broken download of the same gives way."""
    if not file.is_file():
        raise DescriptorError(f"No such file: {file}. Give a path or a URL.")
    total, done = file.stat().st_size, 0
    with file.open("rb") as old, part.open("wb") as new:
        while chunk := old.read(CHUNK):
            new.write(chunk)
            done += len(chunk)
            yield done, total


def _recorded() -> dict[str, str]:
    try:
        return read_record(home() / "descriptors" / "checksums.json", dict[str, str])
    except (FileNotFoundError, DamagedFile):
        return {}


def _record(checkpoint: str, checksum: str) -> None:
    checksums = _recorded() | {checkpoint: checksum}
    atomic.json(home() / "descriptors" / "checksums.json", checksums)
