"""run.json as a typed record: shipped runs and older schemas are read, damage gets a sentence."""

import json

import pytest

from memviz.errors import InputError
from memviz.io.paths import demo
from memviz.runs.record import SCHEMA, RunRecord
from tests.support.records import cell_record, run_record

SHIPPED = sorted((demo() / "runs").glob("*/run.json"))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_every_shipped_run_is_read_and_written_with_all_it_says(file):
    found = json.loads(file.read_text("utf-8"))
    record = RunRecord.from_json(found)
    assert record.cells and all(c.kind in ("copied", "close", "none") for c in record.cells)
    again = record.to_json()
    assert RunRecord.from_json(again) == record
    assert_holds(again, found | {"schema": SCHEMA})


def assert_holds(whole, part):
    """All that `part` says stands in `whole`, at any depth."""
    if isinstance(part, dict):
        for name, value in part.items():
            assert_holds(whole[name], value)
    elif isinstance(part, list):
        for a, b in zip(whole, part, strict=True):
            assert_holds(a, b)
    else:
        assert whole == part


def test_the_shipped_runs_are_there():
    assert len(SHIPPED) == 5


def first_schema(**changes):
    """A record as memviz 0.1 wrote it first: one band, verdicts in words alone."""
    signal = {"word": "Looks memorized", "reason": "", "value": 6.1}
    match = {"id": 3, "caption": "", "similarity": 0.9, "image": "matches/3.png"}
    result = {"verdict": "Copied", "prompt_signal": signal, "matches": [match]}
    found = run_record(cells=[cell_record()]).to_json()
    del found["bands"], found["cells"][0]["kind"]
    found["cells"][0] |= result
    return found | {"schema": 1, "band": {"low": [0.1], "high": [0.2]}} | changes


def test_the_first_schema_is_brought_to_this_one():
    record = RunRecord.from_json(first_schema())
    (cell,) = record.cells
    assert record.bands == {"magnitude": {"low": [0.1], "high": [0.2]}}
    assert cell.kind == "copied" and cell.prompt_signal.kind == "memorized"
    assert cell.match == cell.matches[0] and cell.match.id == 3


@pytest.mark.parametrize("schema", [0, 3, "1", None, 1.5])
def test_another_schema_is_refused(schema):
    with pytest.raises(InputError, match=r"its schema is .* update memviz"):
        RunRecord.from_json(first_schema(schema=schema))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"model": None}, "model"),
        ({"state": "waiting"}, "state"),
        ({"cells": 3}, "cells"),
        ({"cells": [3]}, "cells.0"),
        ({"cells": [{"cell": 0}]}, "cells.0.prompt"),
        ({"asked": {"prompts": []}}, "asked.prompts"),
    ],
)
def test_what_is_damaged_is_named_in_a_sentence(change, where):
    with pytest.raises(InputError, match=f"^{where}: "):
        RunRecord.from_json(first_schema(**change))


@pytest.mark.parametrize("name", ["id", "asked", "model", "timesteps", "noise_hash", "title"])
def test_what_is_missing_is_named(name):
    found = first_schema()
    del found[name]
    with pytest.raises(InputError, match=f"^{name}: Field required"):
        RunRecord.from_json(found)


def test_a_record_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        run_record().state = "failed"
