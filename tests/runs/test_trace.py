"""The per-step table: saved whole, read back, and replayed under another method."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from memviz.guidance.base import Transition
from memviz.guidance.switch import AtTimestep, FirstMinimum
from memviz.guidance.transition import Constant, TwoPhase
from memviz.runs import trace

CURVES = {0: [5.0, 3.0, 1.0, 2.0], 1: [1.0, 2.0, 3.0, 4.0]}
TIMES = [900, 700, 500, 300]


@pytest.fixture
def table():
    rows = [
        {"cell": cell, "step": i, "t": t, "magnitude": values[i], "magnitude_mean": 0, "scale": 7.5}
        for i, t in enumerate(TIMES)
        for cell, values in CURVES.items()
    ]
    return pa.Table.from_pylist(rows, schema=trace.SCHEMA)


def test_a_table_is_saved_and_read_back(table, tmp_path):
    trace.save(table, tmp_path / "trace.parquet")
    assert trace.load(tmp_path / "trace.parquet").equals(table)
    assert [p.name for p in tmp_path.iterdir()] == ["trace.parquet"]


def test_a_failed_save_leaves_the_old_table(table, tmp_path, monkeypatch):
    path = tmp_path / "trace.parquet"
    trace.save(table, path)

    def half(_: pa.Table, part: str) -> None:
        part.write_bytes(b"PAR1 half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", half)
    with pytest.raises(OSError, match="disk full"):
        trace.save(table.slice(0, 1), path)
    monkeypatch.undo()
    assert trace.load(path).equals(table)


def test_an_empty_trace_can_be_kept(tmp_path):
    trace.save(trace.SCHEMA.empty_table(), tmp_path / "trace.parquet")
    assert trace.load(tmp_path / "trace.parquet").schema.names == trace.SCHEMA.names


def test_another_table_is_refused_in_a_sentence(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"other\.parquet is not a trace: has .*'a'.*expected"):
        trace.load(tmp_path / "other.parquet")


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "trace.parquet").write_text("no")
    with pytest.raises(ValueError):
        trace.load(tmp_path / "trace.parquet")


def test_signals_are_one_cell_in_order(table):
    seen = trace.split_cells(table)[0].observations
    assert [(o.t, o.magnitude) for o in seen] == [*zip(TIMES, CURVES[0], strict=True)]
    assert [*trace.split_cells(table)] == [0, 1] and trace.split_cells(table.slice(0, 0)) == {}


def test_the_estimated_transition_is_the_first_minimum(table):
    assert trace.estimated(trace.split_cells(table)[0].observations) == 2
    assert trace.estimated(trace.split_cells(table)[1].observations) is None
    assert trace.estimated([]) is None


def test_a_trace_is_replayed_under_any_method(table):
    dipped, rising = (trace.split_cells(table)[cell].observations for cell in CURVES)
    assert trace.replay(Constant(), dipped) is None
    assert trace.replay(TwoPhase(switch=AtTimestep(500)), dipped) == Transition(2, "static")
    assert trace.replay(TwoPhase(switch=FirstMinimum(0)), dipped) == Transition(3, "minimum")
    assert trace.replay(TwoPhase(switch=FirstMinimum(0)), rising) is None
    assert trace.replay(TwoPhase(switch=FirstMinimum(600)), rising) == Transition(2, "fallback")
