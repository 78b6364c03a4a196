"""`python -m memviz publish-space`: what a Space of Hugging Face needs, and nothing else."""

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memviz.cli.command import Verb
from memviz.errors import InputError
from memviz.io.paths import PACKAGE, NoCheckout, expand

ROOT = PACKAGE.parent
PARTS = ("README.md", "LICENSE", "app.py", "requirements.txt", "memviz", "assets/demo")
PICTURES = "docs/*.png"  # that the README shows
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.part", ".*")
LARGE = 10 * 10**6  # bytes from which the Hub wants Git LFS
CPU_WHEELS = "--extra-index-url https://download.pytorch.org/whl/cpu"


def options(sub: argparse.ArgumentParser) -> None:
    """Which Space, on what hardware, and whether anything is sent."""
    sub.add_argument("space", metavar="USER/NAME", help="the Space, made if there is none")
    sub.add_argument("--hardware", choices=("cpu", "gpu"), default="cpu", help="decides the wheels")
    sub.add_argument("--folder", type=Path, help="write the files there and send nothing")


def publish_space(args: argparse.Namespace) -> dict[str, Any]:
    """Upload the Space; its address, or the folder that would have been sent."""
    owner, _, name = args.space.partition("/")
    if not owner or not name or "/" in name:
        raise InputError(f"{args.space!r} names no Space. Write USER/NAME.")
    if args.folder:
        folder = expand(args.folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"--folder: {folder} is not empty. Name a new folder.")
        return stage_space(folder, args.space, args.hardware) | {"folder": str(folder)}
    from huggingface_hub import HfApi

    api = HfApi()
    with tempfile.TemporaryDirectory() as place:
        told = stage_space(Path(place), args.space, args.hardware)
        api.create_repo(args.space, repo_type="space", space_sdk="gradio", exist_ok=True)
        api.upload_folder(
            repo_id=args.space,
            folder_path=place,
            repo_type="space",
            commit_message="Publish memviz",
            delete_patterns="*",
        )
    return told | {"url": f"https://huggingface.co/spaces/{args.space}"}


def stage_space(folder: Path, space: str, hardware: str) -> dict[str, Any]:
    """Write the files of a Space into a folder. Raises NoCheckout outside the repository."""
    if not (ROOT / "app.py").is_file():
        raise NoCheckout("A Space is published from a checkout of the repository. Run this in one.")
    for path in list_parts():
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, ignore=LEFT_OUT)
        else:
            shutil.copy(path, target)
    readme = folder / "README.md"
    picture = f"thumbnail: https://huggingface.co/spaces/{space}/resolve/main/docs/compare.png"
    readme.write_text(readme.read_text().replace("\n---\n", f"\n{picture}\n---\n", 1))
    if hardware == "cpu":
        pins = folder / "requirements.txt"
        pins.write_text(f"{CPU_WHEELS}\n{pins.read_text()}")
    files = [path for path in folder.rglob("*") if path.is_file()]
    large = [p.relative_to(folder).as_posix() for p in files if p.stat().st_size > LARGE]
    rules = "".join(f"{name} filter=lfs diff=lfs merge=lfs -text\n" for name in sorted(large))
    (folder / ".gitattributes").write_text(rules)
    return {"space": space, "files": len(files), "bytes": sum(p.stat().st_size for p in files)}


def list_parts() -> Iterator[Path]:
    """The files and folders of the repository that a Space needs."""
    yield from (ROOT / part for part in PARTS)
    yield from sorted(ROOT.glob(PICTURES))


def as_table(result: dict[str, Any]) -> str:
    """Where it is, and how large."""
    size = f"{result['files']} files, {result['bytes'] / 1e6:.1f} MB"
    return f"{result.get('url') or result['folder']}\n{size}"


VERB = Verb(publish_space, as_table, options)
