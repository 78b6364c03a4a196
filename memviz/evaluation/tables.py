"""The table of an evaluation: measured rows beside published ones, in five formats."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memviz.evaluation.columns import COLUMNS
from memviz.io import atomic
from memviz.statistics import format_estimate

TEX = {"\\": r"\textbackslash{}", **{c: f"\\{c}" for c in "&%$#_{}"}, "~": r"\textasciitilde{}"}
TEX |= {"^": r"\textasciicircum{}", "é": r"\'e", "±": r"$\pm$"}


def flat_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row per method and per published row: numbers with their interval and change to CFG."""
    found = []
    for row in result["rows"]:
        line = {"source": "here", "method": row["method"], "label": row["label"]}
        line["pictures"] = row["pictures"]
        for name in result["columns"]:
            value, change = row["values"].get(name), row["changes"].get(name)
            for ending, key in (("", "mean"), ("_low", "low"), ("_high", "high")):
                line[f"{name}{ending}"] = value and value[key]
                line[f"{name}_change{ending}"] = change and change[key]
        found.append(line | {"departs": "; ".join(row["departs"])})
        for published in row["published"]:
            line = {"source": "published", "method": row["method"], "label": published["label"]}
            found.append(line | published["values"] | {"departs": published["note"]})
    return found


def text_cells(result: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Head and lines for people; the best measured value of each column is marked with *."""
    best = {name: best_value(name, result["rows"]) for name in result["columns"]}
    head = ["method", *result["columns"], "departs"]
    lines = []
    for row in result["rows"]:
        cells = [text_cell(row["values"].get(name), best[name]) for name in result["columns"]]
        lines.append([row["label"], *cells, "; ".join(row["departs"]) or "-"])
        for published in row["published"]:
            cells = [number(published["values"].get(name)) for name in result["columns"]]
            lines.append([f"  published: {published['label']}", *cells, published["note"] or "-"])
    return head, lines


def best_value(name: str, rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The best mean of a column among several rows; None where no end is better."""
    values = [row["values"][name]["mean"] for row in rows if row["values"].get(name)]
    better = COLUMNS[name].better
    if len(values) < 2 or not better or len(set(values)) < 2:
        return None
    return min(values) if better == "low" else max(values)


def text_cell(value: Mapping[str, Any] | None, best: float | None) -> str:
    """A mean with its interval, marked where it is the best."""
    if value is None:
        return "-"
    digits = 2 if abs(value["mean"]) >= 10 else 3
    return format_estimate(value, digits) + ("*" if value["mean"] == best else "")


def number(value: float | None) -> str:
    """A published figure as it stands."""
    return "-" if value is None else f"{value:g}"


def markdown(result: Mapping[str, Any]) -> str:
    """A table, and below it what it was measured with."""
    head, lines = text_cells(result)
    safe = [[cell.replace("|", "\\|") for cell in line] for line in (head, *lines)]
    told = [f"| {' | '.join(line)} |" for line in safe]
    told.insert(1, "|---" * len(head) + "|")
    return "\n".join([*told, "", caption(result), ""])


def latex(result: Mapping[str, Any]) -> str:
    """A booktabs table, without the column of departures, which stand in its caption."""
    head, lines = text_cells(result)
    departs = dict.fromkeys(line[-1] for line in lines if line[-1] != "-")
    body = [" & ".join(map(tex, line[:-1])) + r" \\" for line in (head, *lines)]
    said = tex(" ".join([caption(result), *(f"Departs: {text}." for text in departs)]))
    return "\n".join([
        r"\begin{table}", r"\centering", rf"\caption{{{said}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 2)}}}", r"\toprule", body[0], r"\midrule",
        *body[1:], r"\bottomrule", r"\end{tabular}", r"\end{table}", "",
    ])  # fmt: skip


def tex(text: str) -> str:
    """Text that LaTeX takes as it is."""
    return "".join(TEX.get(letter, letter) for letter in text)


def caption(result: Mapping[str, Any]) -> str:
    """What a table was measured with, in a few sentences."""
    asked = result["protocol"]
    many = f"{result['prompts']} prompts x {len(asked['seeds'])} seeds"
    return (
        f"Protocol {asked['name']} ({asked['about']}). {many}; {asked['scheduler']}, "
        f"{asked['steps']} steps; descriptor {asked['descriptor']}. Means with 95 % intervals by a "
        "bootstrap over prompts; * marks the best of a column."
    )


def as_csv(result: Mapping[str, Any]) -> str:
    """All numbers, a line each for methods and published rows."""
    rows, file = flat_rows(result), io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: guard(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def guard(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def write_tables(result: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """`table.csv, .parquet, .tex, .md` and `evaluation.json`; their paths by format."""
    atomic.text(folder / "table.csv", as_csv(result))
    atomic.text(folder / "table.md", markdown(result))
    atomic.text(folder / "table.tex", latex(result))
    write_parquet(flat_rows(result), folder / "table.parquet")
    atomic.json(folder / "evaluation.json", result)
    names = ("table.csv", "table.parquet", "table.tex", "table.md", "evaluation.json")
    return {Path(name).suffix[1:]: str(folder / name) for name in names}


def write_parquet(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """The rows of the CSV with their types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = dict.fromkeys(("source", "method", "label", "departs"), pa.string())
    kinds = words | {"pictures": pa.int64()}
    names = dict.fromkeys(name for row in rows for name in row)
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
    table = pa.Table.from_pylist([dict(row) for row in rows], schema)
    with atomic.written(file) as part:
        pq.write_table(table, part)
