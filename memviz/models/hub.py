"""Models from the Hugging Face hub: which files to fetch, and what each failure means."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from memviz.models.files import PARTS, VARIANTS, ModelError, check_class, pipeline_folder

ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")  # owner/name, and nothing else
TAESD = "madebyollin/taesd"  # decodes the latents of Stable Diffusion 1 and 2 fast
NEXT = {
    "gated": "needs its owner's permission: accept its terms at https://huggingface.co/{id}, then "
    "run `hf auth login`.",
    "missing": "is not on the hub, or is private. Check the spelling.",
    "no pipeline": "is not a pipeline: it has no model_index.json.",
    "no network": "is not on this machine and the hub cannot be reached. Connect once to fetch it, "
    "or give a folder.",
}


def is_id(text: str) -> bool:
    """Exactly "owner/name"."""
    return ID.fullmatch(text) is not None


def fetch(ids: tuple[str, ...], own_unet: bool = True, weights: bool = True) -> Path:
    """The local folder of the first of these repositories that can be had.

    Without `weights` only the small files that say how a pipeline is put together.
    """
    reasons = []
    for repo in ids:
        try:
            return _fetch(repo, own_unet, weights)
        except ModelError as error:
            reasons.append(str(error))
    raise ModelError(reasons[0] if len(ids) == 1 else f"{reasons[0]} {_tried(ids)}")


def fetch_part(repo: str) -> Path:
    """The local folder of a repository that holds one part of a pipeline, as TAESD's."""
    from huggingface_hub import hf_hub_download

    try:
        for file in ("diffusion_pytorch_model.safetensors", "config.json"):
            found = hf_hub_download(repo, file)
    except Exception as error:
        raise ModelError(explain(repo, error)) from error
    return Path(found).parent


def cached(ids: tuple[str, ...], index: str = "model_index.json") -> Path | None:
    """The folder of one of these repositories if it is already on this machine."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repo, index) for repo in ids if is_id(repo))
    return next((Path(file).parent for file in found if isinstance(file, str)), None)


def explain(repo: str, error: BaseException) -> str:
    """One sentence on why a repository could not be fetched."""
    import httpx
    from huggingface_hub import errors

    no_network = (
        *(errors.LocalEntryNotFoundError, errors.CachedRepoTreeNotFoundError),
        *(ConnectionError, TimeoutError, httpx.NetworkError, httpx.TimeoutException),
    )
    kinds: dict[str, tuple[type[BaseException], ...]] = {  # the first that fits
        "gated": (errors.GatedRepoError,),
        "missing": (errors.RepositoryNotFoundError, errors.HFValidationError),
        "no network": no_network,
        "no pipeline": (errors.RemoteEntryNotFoundError,),
    }
    chain = [*_chain(error)]
    for reason, some in kinds.items():
        if any(isinstance(link, some) for link in chain):
            return f"{repo} {NEXT[reason].format(id=repo)}"
    return f"{repo} could not be fetched: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """What an exception says, short enough for one line."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def _fetch(repo: str, own_unet: bool, weights: bool) -> Path:
    import json

    from huggingface_hub import hf_hub_download, snapshot_download

    try:
        index = hf_hub_download(repo, "model_index.json")  # a small file tells most failures apart
        found = json.loads(Path(index).read_text())
        check_class(repo, found)
        parts = PARTS[found["_class_name"]][0 if own_unet else 1 :]
        small, large = _patterns(parts)
        wanted, others = small + large * weights, [f"*{v}*" for v in VARIANTS]
        folder = Path(snapshot_download(repo, allow_patterns=wanted, ignore_patterns=others))
        if weights and not any((folder / parts[0]).glob("*.safetensors")):  # in half alone
            others.remove("*.fp16*")
            folder = Path(snapshot_download(repo, allow_patterns=wanted, ignore_patterns=others))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(explain(repo, error)) from error
    return pipeline_folder(folder)


def _patterns(parts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The small files of a pipeline, and the weights of these parts."""
    words = [f"tokenizer*/{kind}" for kind in ("*.json", "*.txt", "*.model")]
    configs = ["model_index.json", "scheduler/*.json", "*/config.json", *words]
    return configs, [f"{part}/*.safetensors*" for part in parts]


def _tried(ids: tuple[str, ...]) -> str:
    return f"Tried {', '.join(ids)}."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
