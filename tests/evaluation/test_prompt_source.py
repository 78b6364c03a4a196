"""Prompts from every place, and draws as the released scripts make them."""

import json
from pathlib import Path

import numpy as np
import pytest

from memviz.errors import MemvizError
from memviz.evaluation.prompt_source import IMAGENETTE, PromptSource, read_prompts
from tests.support.samples import smooth


def test_a_draw_is_that_of_the_released_scripts(tmp_path: Path) -> None:
    texts = [f"caption {i}" for i in range(50)]
    file = tmp_path / "prompts.txt"
    file.write_text("\n".join(texts))
    np.random.seed(42)
    expected = list(np.random.choice(texts, 200))
    assert read_prompts(PromptSource(str(file), draw=42, limit=200)) == expected
    assert read_prompts(PromptSource(str(file), limit=3)) == texts[:3]


def test_classes_go_into_a_template() -> None:
    np.random.seed(42)
    expected = [f"An image of {name}" for name in np.random.choice(IMAGENETTE, 30)]
    source = PromptSource("imagenette", "An image of {class}", 42, 30)
    assert read_prompts(source) == expected


def test_captions_of_a_corpus_and_groups_of_the_demo(tmp_path: Path) -> None:
    for i in range(3):
        smooth(i).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text(f"picture\n{i}")
    assert read_prompts(PromptSource(str(tmp_path))) == ["picture 0", "picture 1", "picture 2"]
    demo = json.loads(Path("assets/demo/prompts.json").read_text())
    assert read_prompts(PromptSource("demo:heldout")) == demo["heldout"]
    assert len(read_prompts(PromptSource("demo"))) == sum(map(len, demo.values()))


def test_websters_lines_and_a_table(tmp_path: Path) -> None:
    lines = tmp_path / "sdv1.jsonl"
    lines.write_text('{"caption": "a fox", "index": 1, "url": "x"}\n{"caption": "b", "index": 2}\n')
    assert read_prompts(PromptSource(str(lines))) == ["a fox", "b"]
    table = tmp_path / "SD1.csv"
    table.write_text("prompt,urls\na cat,u\n")
    assert read_prompts(PromptSource(str(table))) == ["a cat"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (PromptSource("demo:none"), "It has duplicated"),
        (PromptSource("imagenette", "An image"), "has no"),
        (PromptSource("imagenette", limit=0), "from 1 on"),
        (PromptSource("no/such/place"), "No such corpus"),
    ],
)
def test_what_cannot_be_taken_is_said(source: PromptSource, said: str) -> None:
    with pytest.raises(MemvizError, match=said):
        read_prompts(source)
