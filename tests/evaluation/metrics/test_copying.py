"""Copying against DCR's formulas in torch, and against loops."""

import numpy as np
import pytest
import torch

from memviz.errors import InputError
from memviz.evaluation.metrics import copying
from memviz.retrieval.dcr_statistics import statistics
from memviz.retrieval.index.background import background
from tests.support.samples import unit


def test_dcrs_figures_are_those_of_its_formulas() -> None:
    generated, training = unit(70, seed=1), unit(200, seed=2)
    values, queries = torch.from_numpy(training), torch.from_numpy(generated)
    top = torch.mm(values, queries.T).T.topk(1, dim=1).values.numpy()
    second = torch.mm(values, values.T).topk(2, dim=1).values[:, -1].numpy()
    expected = {
        **{f"sim_{p}pc": np.percentile(top, p) for p in (75, 90, 95)},
        **{f"bg_{p}pc": np.percentile(second, p) for p in (75, 90, 95)},
        "sim_mean": np.mean(top),
        "sim_std": np.std(top),
        "bg_mean": np.mean(second),
        "bg_std": np.std(second),
        "sim_gt_05pc": np.sum(top > 0.5) / top.shape[0],
    }
    found = statistics(copying.top_similarity(generated, training), background(training))
    assert found == pytest.approx(expected, abs=1e-4)


def test_own_references_are_the_nearest_of_a_prompts_own() -> None:
    rows, references = unit(3, seed=3), unit(5, seed=4)
    found = copying.own_similarity(rows, references, [[0, 4], [], [2]])
    assert found[0] == pytest.approx(max(rows[0] @ references[0], rows[0] @ references[4]))
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(rows[2] @ references[2])


def test_a_pair_is_compared_row_by_row() -> None:
    a, b = unit(4, seed=5), unit(4, seed=6)
    assert copying.pair_similarity(a, b) == pytest.approx(np.diag(a @ b.T), abs=1e-6)
    with pytest.raises(InputError, match="one each"):
        copying.pair_similarity(a, b[:2])


def test_prompts_are_told_apart_by_their_number_not_by_their_place() -> None:
    values = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4])
    prompts = [5, 2, 5, 2, 5, 2, 5]
    assert copying.prompt_maximum(values, prompts) == pytest.approx([0.4, 0.9])
    assert copying.prompt_top(values, prompts) == pytest.approx([0.3, 0.8])
    assert copying.prompt_top(values, prompts, count=1) == pytest.approx([0.4, 0.9])


def test_nothing_to_compare_with_is_said() -> None:
    with pytest.raises(InputError, match="at least one reference"):
        copying.top_similarity(unit(2), unit(2)[:0])
