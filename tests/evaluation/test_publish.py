"""What ships of an evaluation: a small file and the tables of the docs."""

import json
from pathlib import Path

import pytest

from memviz.errors import InputError
from memviz.evaluation import publish
from tests.support.command_line import call


def write_result(folder: Path, prompts: str, methods: list[str], state: str = "done") -> None:
    rows = [
        {
            "method": method,
            "label": method.upper(),
            "pictures": 4,
            "values": {
                "copied": {"mean": 0.25 + i / 7, "low": 0.1, "high": 0.5},
                "clipscore": {"mean": 0.7, "low": None, "high": None},
                "seconds": {"mean": 3.0, "low": 2.0, "high": 4.0},
                "unmitigated": None,
            },
            "published": [],
        }
        for i, method in enumerate(methods)
    ]
    protocol = {"name": "x", "prompts": prompts, "seeds": [0, 1], "scheduler": "ddim", "steps": 50}
    columns = ["copied", "clipscore", "seconds", "unmitigated"]
    found = {"state": state, "created": "2026-11-28T00:00:00", "protocol": protocol, "prompts": 2}
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(
        json.dumps(found | {"columns": columns, "rows": rows, "judge": {"corpus_hash": "ab"}})
    )


def test_parts_are_named_by_their_prompts_and_several_settings_are_curves(tmp_path: Path) -> None:
    write_result(tmp_path / "a", "demo:duplicated", ["cfg", "stp"])
    write_result(tmp_path / "b", "demo:duplicated", ["stp:at=400", "stp:at=450", "cfg"])
    parts = publish.collect_parts(tmp_path)
    assert [*publish.order_parts(parts)] == ["duplicated", "tradeoff"]
    assert parts["duplicated"]["rows"][1]["values"]["copied"] == [0.3929, 0.1, 0.5]
    assert parts["duplicated"]["columns"] == ["copied", "clipscore", "unmitigated"]
    restored = publish.restore_rows(parts["duplicated"])[0]["values"]
    assert restored["copied"] == {"mean": 0.25, "low": 0.1, "high": 0.5}
    assert restored["unmitigated"] is None
    told = publish.write_markdown(parts)
    assert "| STP | 0.393 (0.100 to 0.500) | - | 0.700 |" in told
    assert "| Static transition (STP) | at=400: 0.25 / 0.70 | at=450: 0.39 / 0.70 |" in told


def test_a_full_sized_file_is_small(tmp_path: Path) -> None:
    many = [f"cfg:scale={i}" for i in range(65)]
    write_result(tmp_path / "a", "demo:duplicated", many)
    assert len(json.dumps(publish.collect_parts(tmp_path / "a"))) < 20_000


@pytest.mark.parametrize("state", ["running", ""])
def test_what_is_not_done_or_not_there_is_not_published(tmp_path: Path, state: str) -> None:
    if state:
        write_result(tmp_path / "a", "demo:heldout", ["cfg"], state)
    with pytest.raises(InputError, match="not done" if state else "holds no evaluation"):
        publish.collect_parts(tmp_path)


def test_publishing_keeps_the_other_parts_and_what_stands_around_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "evaluation.md"
    page.write_text(f"before\n{publish.BEGIN}\nold\n{publish.END}\nafter\n")
    monkeypatch.setattr("memviz.io.paths.page", lambda name: page)
    monkeypatch.setenv("MEMVIZ_DEMO", str(tmp_path))
    for part in ("heldout", "duplicated"):
        write_result(tmp_path / part, f"demo:{part}", ["cfg", "stp"])
        assert call("evaluate", "--publish", "--out", tmp_path / part).returncode == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.index("### Duplicated") < text.index("### Heldout")
    assert [*publish.read_published()] == ["duplicated", "heldout"]
