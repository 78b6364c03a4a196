"""A run as one zip file to hand on: the files of its folder with their SHA-256.

The hashes tell a damaged file from a whole one. They are no signature: who wrote the bundle is not
known from it.
"""

import hashlib
import json
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from memviz.errors import InputError
from memviz.io import atomic
from memviz.io.ids import ID
from memviz.io.read import check_regular
from memviz.runs import store
from memviz.runs.store import Run, RunError

HASHES = "bundle.json"  # in the run's folder within the zip: SHA-256 by file
FILES = ("run.json", "trace.parquet")
FOLDERS = ("images", "steps", "matches", "latents")
LARGEST = 64 * 2**30  # bytes unpacked
CHUNK = 2**20  # bytes
PACKED = (".png", ".jpg", ".webp", ".parquet")  # deflating these again gains nothing


def list_files(run: Run) -> dict[str, Path]:
    """The files of a run that a bundle holds, by their names in its folder."""
    found = [run.folder / name for name in FILES]
    found += [path for name in FOLDERS for path in sorted((run.folder / name).rglob("*"))]
    plain = [path for path in found if path.is_file() and not path.is_symlink()]
    return {p.relative_to(run.folder).as_posix(): p for p in plain if p.suffix != ".part"}


def pack_run(run: Run, file: Path) -> Path:
    """Write a run that is over as a zip file. Raises RunError for one in progress."""
    if run.record.state is store.CellState.RUNNING:
        raise RunError(f"Run {run.record.id} is in progress. Wait for its end, or stop it.")
    hashes: dict[str, str] = {}
    with atomic.written(file) as part, zipfile.ZipFile(part, "w") as whole:
        for name, path in list_files(run).items():
            data = portable_record(run) if name == "run.json" else path.read_bytes()
            hashes[name] = hashlib.sha256(data).hexdigest()
            how = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
            whole.writestr(f"{run.record.id}/{name}", data, how)
        about = json.dumps({"layout": 1, "files": hashes}, indent=1)
        whole.writestr(f"{run.record.id}/{HASHES}", about, zipfile.ZIP_DEFLATED)
    return file


def portable_record(run: Run) -> bytes:
    """run.json without the process that made it, which means nothing elsewhere."""
    record = run.record.model_copy(update={"process": None})
    return (json.dumps(record.to_json(), indent=1, ensure_ascii=False) + "\n").encode()


def unpack_run(file: Path) -> Run:
    """Verify a bundle and keep its run among the user's own; one that is there already stays.

    Raises InputError for what is no bundle, RunError where a hash differs or another run has its
    id; nothing is left behind then.
    """
    try:
        check_regular(file)
        with zipfile.ZipFile(file) as whole:
            return unpack_zip(whole)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{file} cannot be read as a zip file ({error}). Give what `memviz bundle` wrote."
        ) from None


def unpack_zip(whole: zipfile.ZipFile) -> Run:
    """The run of an open bundle, in its place."""
    run_id, hashes = read_hashes(whole)
    place = store.root() / run_id
    if place.exists():
        for name, digest in hashes.items():
            compare_hash(name, digest, copy_entry(whole, f"{run_id}/{name}"))
        kept = store.read(run_id)
        if hash_files(kept) != hashes:
            raise RunError(f"Another run {run_id} is kept here. Remove it, then open this one.")
        return kept
    with atomic.folder(place) as part:
        for name, digest in hashes.items():
            path = part / name
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as target:
                compare_hash(name, digest, copy_entry(whole, f"{run_id}/{name}", target))
        found = store.open_folder(part)
        if found.record.id != run_id:
            raise RunError(f"This bundle of {run_id} holds run {found.record.id}. Get it again.")
    return store.read(run_id)


def read_hashes(whole: zipfile.ZipFile) -> tuple[str, dict[str, str]]:
    """The id of a bundle's run and the SHA-256 of its files, whose names lead nowhere else."""
    sizes = {entry.filename: entry.file_size for entry in whole.infolist()}
    run_id = next(iter(sizes), "").partition("/")[0]
    entry = f"{run_id}/{HASHES}"
    hashes: dict[str, str] = {}
    try:
        hashes = json.loads(whole.read(entry))["files"]
        names = {f"{run_id}/{name}" for name in hashes} | {entry}
    except (KeyError, TypeError, ValueError):
        names = set[str]()
    if not ID.fullmatch(run_id) or names != set(sizes) or f"{run_id}/run.json" not in names:
        raise InputError("This zip file is no bundle of a run. Give what `memviz bundle` wrote.")
    for name in hashes:
        folder, _, inner = name.rpartition("/")
        known = inner not in ("", ".", "..") and "\\" not in name and "\0" not in name
        if not known or (folder not in FOLDERS if folder else name not in FILES):
            raise InputError(f"This bundle has {name!r}, which is no part of a run.")
    if sum(sizes.values()) > LARGEST:
        raise InputError(f"This bundle unpacks to more than {LARGEST:,} bytes. That is refused.")
    return run_id, hashes


def copy_entry(whole: zipfile.ZipFile, name: str, target: BinaryIO | None = None) -> str:
    """The SHA-256 of an entry, which is written to `target` on the way."""
    digest = hashlib.sha256()
    with whole.open(name) as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            if target:
                target.write(chunk)
    return digest.hexdigest()


def compare_hash(name: str, wanted: str, found: str) -> None:
    """Raise RunError unless a file is what the bundle says of it."""
    if found != wanted:
        raise RunError(f"{name} in this bundle is damaged: its SHA-256 differs. Get it again.")


def hash_files(run: Run) -> dict[str, str]:
    """The SHA-256 of each file that a bundle of this run would hold."""
    return {
        name: hashlib.sha256(
            portable_record(run) if name == "run.json" else path.read_bytes()
        ).hexdigest()
        for name, path in list_files(run).items()
    }
