"""The members' average: by the size of their parts, and of a LoRA the products of its factors."""

import torch

from memviz.training.iet_agc.average import Average, factorize
from memviz.training.iet_agc.distributed import ProcessGroup
from memviz.training.trainable_model import pair_factors


def test_the_average_is_weighted_in_float32_and_leaves_the_device_alone():
    average = Average([torch.zeros(3)], [], 2)
    average.add([torch.tensor([1.0, 2, 3], dtype=torch.float16)], 0, 0.75)
    average.add([torch.tensor([5.0, 6, 7])], 1, 0.25)
    (mean,) = average.finish(ProcessGroup())
    assert mean.dtype == torch.float32 and mean.tolist() == [2, 3, 4]
    average.add([torch.ones(3)], 0, 1.0)
    assert average.finish(ProcessGroup())[0].tolist() == [1, 1, 1]  # it began anew


def test_a_lora_is_averaged_as_products_not_as_factors():
    """Members that come to the same product by other factors average to that product."""
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 5, generator=rng), torch.randn(7, 2, generator=rng)
    turned = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    average = Average([a, b], [(0, 1)], 2)
    average.add([a, b], 0, 0.5)
    average.add([turned @ a, b @ turned.T], 1, 0.5)
    mean_a, mean_b = average.finish(ProcessGroup())
    assert mean_a.shape == a.shape and mean_b.shape == b.shape
    torch.testing.assert_close(mean_b @ mean_a, b @ a)
    naive = (b + b @ turned.T) / 2 @ (a + turned @ a) / 2
    assert (naive - b @ a).norm() > 0.1 * (b @ a).norm()


def test_a_product_of_higher_rank_is_kept_as_well_as_its_rank_allows():
    rng = torch.Generator().manual_seed(1)
    a, b = torch.randn(6, 9, generator=rng), torch.randn(8, 6, generator=rng)
    near_a, near_b = factorize(a, b, 2)
    u, scale, v = torch.linalg.svd(b @ a)
    best = u[:, :2] * scale[:2] @ v[:2]
    torch.testing.assert_close(near_b @ near_a, best, rtol=1e-4, atol=1e-4)


def test_the_factors_of_a_lora_are_paired_by_name():
    names = ["x.lora_A.default.weight", "conv.weight", "x.lora_B.default.weight"]
    assert pair_factors(names) == [(0, 2)]
