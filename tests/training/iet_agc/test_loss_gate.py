"""The loss gate: equal to one sample after the other, or to the released one, and counted."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memviz.training.iet_agc.loss_gate import Counts, Gate, by_range, mean_of_kept, turns

samples = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 64)), min_size=1, max_size=12),
    min_size=1,
    max_size=8,
)


def one_by_one(batches, ratio, decay, whole):
    """A loop over samples; the released trainer judges a batch by the bank before it."""
    bank, kept = [0.0] * 6, []
    for batch in batches:
        before = [*bank] if whole else bank
        for t, sixteenths in batch:
            loss = sixteenths / 16
            kept.append(ratio * loss >= before[t])
            bank[t] = decay * bank[t] + (1 - decay) * loss
    return bank, kept


def run(gate, batches):
    found = []
    for batch in batches:
        t, sixteenths = (torch.tensor(values) for values in zip(*batch, strict=True))
        found += gate(sixteenths.double() / 16, t).keep.tolist()
    return found


@pytest.mark.parametrize("whole", [False, True])
@given(samples)
@settings(deadline=None, max_examples=30)
def test_it_equals_a_loop_over_samples(whole, batches):
    gate = Gate(1.25, 0.75, whole=whole)  # exact in binary, so that no comparison hangs on rounding
    gate.bank = gate.bank.double()
    bank, kept = one_by_one(batches, 1.25, 0.75, whole)
    assert run(gate, batches) == kept
    assert gate.bank[:6].tolist() == bank


def test_the_released_gate_judges_a_repeated_timestep_by_the_bank_before_the_batch():
    losses, t = torch.tensor([2.0, 1.0]), torch.tensor([7, 7])
    kept = [Gate(1.25, 0.0, whole=whole)(losses, t).keep.tolist() for whole in (False, True)]
    assert kept == [[True, False], [True, True]]


def test_a_loss_below_four_fifths_of_the_usual_is_skipped_and_still_counts():
    gate = Gate(1.25, 0.8)
    gate.bank[7] = 1.0
    assert gate(torch.tensor([0.79]), torch.tensor([7])).keep.tolist() == [False]
    assert gate.bank[7].item() == torch.tensor(0.8 + 0.2 * 0.79).item()
    gate.bank[7] = 1.0
    assert gate(torch.tensor([0.80]), torch.tensor([7])).keep.tolist() == [True]


def test_the_first_sample_of_a_timestep_is_kept():
    assert Gate(1.0, 0.8)(torch.tensor([0.0, 1e-9]), torch.tensor([1, 2])).keep.all()


def test_near_the_threshold_is_within_a_tenth_of_it_on_either_side():
    gate, t = Gate(1.25, 0.8), torch.arange(4)
    gate.bank[:4] = 1.0
    near = gate(torch.tensor([0.71, 0.73, 0.87, 0.89]), t).near
    assert near.tolist() == [False, True, True, False]


def test_a_loss_that_is_not_finite_leaves_the_bank():
    gate = Gate(1.25, 0.8)
    gate(torch.tensor([2.0, float("nan"), float("inf")]), torch.tensor([3, 3, 3]))
    assert gate.bank[3].item() == torch.tensor(0.2 * 2.0).item()


def test_distinct_timesteps_are_one_group():
    assert turns(torch.tensor([5, 3, 9])) == [slice(None)]
    assert [g.tolist() for g in turns(torch.tensor([5, 3, 5, 5, 3]))] == [[0, 1], [2, 4], [3]]


def test_kept_losses_are_rescaled_and_none_kept_is_zero():
    losses = torch.tensor([1.0, 2.0, 6.0], requires_grad=True)
    loss = mean_of_kept(losses, torch.tensor([True, False, True]))
    loss.backward()
    assert loss.item() == 3.5 and losses.grad.tolist() == [0.5, 0, 0.5]
    assert mean_of_kept(losses, torch.zeros(3, dtype=torch.bool)).item() == 0


def test_counts_by_picture_and_timestep():
    counts = Counts(4)
    keep = torch.tensor([True, False, False])
    counts.add(torch.tensor([2, 2, 0]), torch.tensor([0, 999, 999]), keep)
    assert counts.pictures.tolist() == [[1, 0, 2, 0], [1, 0, 1, 0]]
    rates = by_range(counts.timesteps[1], counts.timesteps[0], 20)
    assert rates[0] == 0 and rates[19] == 1 and rates[1:19] == [None] * 18


def test_counts_survive_a_checkpoint():
    counts, again = Counts(3), Counts(3)
    counts.add(torch.tensor([1]), torch.tensor([5]), torch.tensor([False]))
    again.load(counts.tensors())
    assert torch.equal(again.pictures, counts.pictures)
    assert torch.equal(again.timesteps, counts.timesteps)
