"""Lists of prompts, with labels where the file has them.

Webster's jsonl (`caption`), plain text (a prompt a line), CSV and parquet (a column `prompt`,
`caption` or `text`; `label` where there is one), and JSON of groups as the demo's `prompts.json`.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from memviz.errors import InputError
from memviz.io import paths
from memviz.io.paths import expand
from memviz.io.read import describe, guard_format, parse_json, read_json, read_table, read_text

Label = Literal["memorized", "ordinary", "hard"]
COLUMNS = ("prompt", "caption", "text")
WORDS: dict[str, Label] = {
    **dict.fromkeys(
        ("1", "true", "yes", "memorized", "mv", "vm", "tv", "tm", "rv", "duplicated"), "memorized"
    ),
    **dict.fromkeys(("0", "false", "no", "ordinary", "n", "heldout", "heldout_plain"), "ordinary"),
    **dict.fromkeys(("hard", "swapped"), "hard"),
}
"""What labels and groups mean; "hard" are negatives that resemble memorized prompts."""


@dataclass(frozen=True)
class Prompt:
    """A prompt and, where it is known, what it is."""

    text: str
    label: Label | None = None


def demo() -> dict[str, list[str]]:
    """The bundled demo's prompts by group; empty where there is no demo."""
    file = paths.demo() / "prompts.json"
    return read_json(file) if file.is_file() else {}


def read(path: str | Path) -> list[Prompt]:
    """The prompts of a file in their order; ValueError if it holds none that can be read."""
    path = expand(path)
    try:
        with guard_format(path, "a list of prompts"):
            found = [p for p in readers(path) if p.text]
    except FileNotFoundError:
        raise InputError(
            f"{path} is not a file. Give a text, jsonl, csv, parquet or json file."
        ) from None
    if not found:
        raise InputError(f"{path} holds no prompt. Write one a line.")
    return found


def readers(path: Path) -> Iterable[Prompt]:
    """The prompts of a file, by its ending."""
    match path.suffix.lower():
        case ".jsonl":
            lines = read_text(path).splitlines()
            return map(row, (parse_json(line) for line in lines if line.strip()))
        case ".csv":
            return map(row, table(path))
        case ".parquet":
            return map(row, read_table(path).to_pylist())
        case ".json":
            return groups(read_json(path), path)
    return (Prompt(line.strip()) for line in read_text(path).splitlines())


def table(path: Path) -> list[dict[str, str]]:
    """A CSV with a head; a semicolon separates as well as a comma does (NeMo's lists)."""
    text = read_text(path)
    head = text.partition("\n")[0]
    return [*csv.DictReader(text.splitlines(), delimiter=";" if head.count(";") else ",")]


def row(values: object) -> Prompt:
    """A prompt from a row with named columns, whatever their case."""
    if not isinstance(values, Mapping):
        raise InputError(f"A row is {describe(values)}, wanted names with values.")
    named = {str(k).strip().lower(): v for k, v in values.items()}
    name = next((c for c in COLUMNS if c in named), None)
    if name is None:
        raise InputError(f"There is no column {' or '.join(COLUMNS)} among {', '.join(named)}.")
    said = named.get("label", named.get("type"))
    return Prompt(str(named[name] or "").strip(), label(said))


def label(said: object) -> Label | None:
    """What a label means; None where there is none."""
    if said is None or str(said).strip() == "":
        return None
    known = WORDS.get(str(said).strip().lower())
    if known is None:
        raise InputError(f"The label {said!r} is unknown. Use memorized, ordinary or hard.")
    return known


def groups(found: object, path: Path) -> Iterator[Prompt]:
    """A list of prompts, or groups of them by name; groups of unknown names are left out."""
    if isinstance(found, list):
        yield from (Prompt(str(text).strip()) for text in found)
    elif isinstance(found, dict):
        for name, texts in found.items():
            if name.lower() in WORDS:
                if not isinstance(texts, list):
                    raise InputError(f"{name} in {path} is {describe(texts)}, wanted a list.")
                yield from (Prompt(str(text).strip(), label(name)) for text in texts)
    else:
        raise InputError(f"{path} is neither a list of prompts nor groups of them.")
