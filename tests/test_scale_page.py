"""docs/scale.md follows from the constants of docs/retrieval.json, by arithmetic done twice."""

import argparse
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from benchmarks import scale  # noqa: E402

PAGE = (ROOT / "docs/scale.md").read_text()
TOLD = json.loads((ROOT / "docs/retrieval.json").read_text())


def test_the_page_has_the_table_of_the_command() -> None:
    result = scale.measured(argparse.Namespace(measured=scale.MEASURED))
    assert scale.lines(result) in PAGE


def test_the_constants_in_its_words_are_the_measured_ones() -> None:
    query = TOLD["milliseconds_per_query"]
    alone, together = query["one_by_one"]["lists"], query["together"]["lists"]
    build, exact = TOLD["build_seconds"]["lists"], query["one_by_one"]["exact"]
    megabytes = 1e6 * 32 / 2048 * 512 / 1e6
    assert f"building the lists, {build:.0f} s ({build / 1e6 / 2048 * 1e9:.0f} ns per" in PAGE
    assert f"{alone:.0f} ms alone and {together:.0f} ms as one of 200" in PAGE
    bytes_ = f"({alone / megabytes:.0f} and {together / megabytes:.1f} ns a byte)"
    assert f"for the {megabytes:.0f} MB of codes it reads {bytes_}" in PAGE
    assert f"an exact query, {exact / 1000:.0f} s ({exact / 1000:.0f} µs a row)" in PAGE


@pytest.mark.parametrize(
    ("images", "lists", "bytes_"),
    [(10_000_000, 8192, 512), (400_000_000, 32768, 64), (5_000_000_000, 131072, 64)],
)
def test_each_size_follows_by_hand(images: int, lists: int, bytes_: int) -> None:
    """Rows × lists for the build; one list in 64, of so many bytes a row, for a query."""
    found = scale.costs(TOLD, images)
    products = images * lists / (1e6 * 2048)
    assert found["lists_hours"] == pytest.approx(TOLD["build_seconds"]["lists"] * products / 3600)
    more = images / 1e6 * bytes_ / 512
    query = TOLD["milliseconds_per_query"]
    assert found["alone_ms"] == pytest.approx(query["one_by_one"]["lists"] * more)
    assert found["together_ms"] == pytest.approx(query["together"]["lists"] * more)
    assert found["exact_ms"] == pytest.approx(query["one_by_one"]["exact"] * images / 1e6)
    assert found["background_hours"] == pytest.approx(found["together_ms"] * images / 3.6e6)
    assert found["embedding_hours"] == pytest.approx(images / 3.6e6)
    assert f"IVF{lists}" in found["recipe"]
