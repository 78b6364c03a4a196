"""The demo's evaluation as it ships: every row's figures in one small file, and the docs' tables.

`assets/demo/evaluation.json` maps a part (`duplicated`, `heldout`, `tradeoff`) to what it was
measured with and a row per method: `{"method", "label", "pictures", "values"}`, a value being
`[mean, low, high]`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memviz.errors import InputError
from memviz.evaluation.store import read_evaluation
from memviz.evaluation.tables import best_value, text_cell
from memviz.guidance.registry import METHODS
from memviz.io import paths
from memviz.io.marks import replace_between

BEGIN, END = "<!-- evaluation -->", "<!-- /evaluation -->"
TRADEOFF = "tradeoff"
KEPT = ("name", "model", "corpus", "prompts", "limit", "seeds", "scheduler", "steps", "descriptor")
LEFT_OUT = ("seconds",)  # they tell of the machine that made them, and of what else it did
SHOWN = ("sim_mean", "copied", "own_mean", "unmitigated", "diversity", "clipscore", "cmmd", "cost")
PAIR = ("copied", "clipscore")  # of a setting, in the table of the trade-off


def published_file() -> Path:
    """Where it stands."""
    return paths.demo() / "evaluation.json"


def read_published() -> dict[str, Any]:
    """All parts; empty where there is no such file."""
    file = published_file()
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def collect_parts(out: Path) -> dict[str, Any]:
    """The finished evaluations in a folder or in its subfolders, by part.

    Raises InputError where there is none, or one that is not done.
    """
    folders = [out] if (out / "evaluation.json").is_file() else sorted(p for p in out.glob("*/"))
    found = [saved for folder in folders if (saved := read_evaluation(folder))]
    if not found:
        raise InputError(f"{out} holds no evaluation. Name the --out of one, or the folder above.")
    if broken := next((one for one in found if one.result["state"] != "done"), None):
        raise InputError(f"{broken.folder} is not done. Run it again, then publish.")
    return {name_part(one.result): shorten_result(one.result) for one in found}


def name_part(result: Mapping[str, Any]) -> str:
    """The group of its prompts, or `tradeoff` where methods have several rows."""
    keys = [row["method"].partition(":")[0] for row in result["rows"]]
    group = Path(result["protocol"]["prompts"].rpartition(":")[2]).stem
    return TRADEOFF if len(set(keys)) < len(keys) else group


def shorten_result(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a reader needs of a result: its settings and figures, to four digits."""
    columns = [name for name in result["columns"] if name not in LEFT_OUT]
    rows = [
        {
            "method": row["method"],
            "label": row["label"],
            "pictures": row["pictures"],
            "values": {name: shorten_value(row["values"].get(name)) for name in columns},
        }
        for row in result["rows"]
    ]
    return {
        "created": result["created"],
        "protocol": {name: result["protocol"].get(name) for name in KEPT},
        "judge": result.get("judge") and {
            name: value for name, value in result["judge"].items()
            if name.endswith("hash") and isinstance(value, str)
        },
        "prompts": result["prompts"],
        "columns": columns,
        "rows": rows,
    }  # fmt: skip


def shorten_value(value: Mapping[str, float | None] | None) -> list[float | None] | None:
    """Mean and interval."""
    if value is None:
        return None
    ends = (value["mean"], value.get("low"), value.get("high"))
    return [None if end is None else round(end, 4) for end in ends]


def restore_rows(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a part as an evaluation has them."""
    names = ("mean", "low", "high")
    return [
        {
            **row,
            "values": {
                name: value and dict(zip(names, value, strict=True))
                for name, value in row["values"].items()
            },
            "changes": {},
            "published": [],
            "departs": [],
        }
        for row in part["rows"]
    ]


def write_markdown(parts: Mapping[str, Any]) -> str:
    """The tables of docs/evaluation.md."""
    found = []
    for name, part in parts.items():
        lines = tradeoff_lines(part) if name == TRADEOFF else part_lines(part)
        found.append("\n".join([f"### {name.capitalize()}", "", describe_part(part), "", *lines]))
    return "\n\n".join(found)


def describe_part(part: Mapping[str, Any]) -> str:
    """What it was measured with, in a sentence."""
    asked = part["protocol"]
    return (
        f"{part['prompts']} prompts ({asked['prompts']}) x {len(asked['seeds'])} seeds, "
        f"{asked['scheduler'].upper()}, {asked['steps']} steps, made {part['created'][:10]}. In "
        "brackets 95 % intervals by a bootstrap over prompts, of shares Wilson's; * marks the "
        "best of a column."
    )


def part_lines(part: Mapping[str, Any]) -> list[str]:
    """A line per method."""
    rows = restore_rows(part)
    names = [name for name in SHOWN if name in part["columns"]]
    best = {name: best_value(name, rows) for name in names}
    lines = [f"| method | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for row in rows:
        cells = [text_cell(row["values"].get(name), best[name]) for name in names]
        lines.append(f"| {row['label']} | {' | '.join(cells)} |")
    return lines


def tradeoff_lines(part: Mapping[str, Any]) -> list[str]:
    """A line per method: copied share and alignment of each of its settings."""
    by_key: dict[str, list[str]] = {}
    for row in restore_rows(part):
        key, _, setting = row["method"].partition(":")
        told = " / ".join(text_mean(row["values"].get(name)) for name in PAIR)
        by_key.setdefault(key, []).append(f"{setting or 'usual'}: {told}")
    most = max(map(len, by_key.values()))
    head = [f"| method | {' | '.join(['copied / clipscore'] * most)} |", "|---" * (most + 1) + "|"]
    return head + [
        f"| {name_method(key)} | {' | '.join([*cells, *[''] * (most - len(cells))])} |"
        for key, cells in by_key.items()
    ]


def name_method(key: str) -> str:
    """A method's label; a name of one's own as it is."""
    return METHODS[key].label if key in METHODS else key


def text_mean(value: Mapping[str, float | None] | None) -> str:
    """A mean without its interval."""
    return "-" if value is None or value["mean"] is None else f"{value['mean']:.2f}"


def order_parts(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The part that most look for first, the curves last."""
    usual: Sequence[str] = ("duplicated", "heldout", TRADEOFF)
    places = {name: i for i, name in enumerate(usual)}
    return dict(sorted(parts.items(), key=lambda part: (places.get(part[0], 2), part[0])))


def refresh_page(text: str, parts: Mapping[str, Any]) -> str:
    """A page with its tables brought up to date; what stands outside the marks is left alone."""
    if END not in text.partition(BEGIN)[2]:
        raise InputError(f"The page has no {BEGIN} and {END}. Put both where the tables belong.")
    return replace_between(text, BEGIN, END, write_markdown(parts))
