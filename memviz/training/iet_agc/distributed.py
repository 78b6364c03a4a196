"""The processes that share a fine-tuning under `accelerate launch`; alone, all of this is free.

Every process runs the same loop and meets the others at the same places.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class ProcessGroup:
    """This process among `count`; `first` is the one that writes what there is one of."""

    def __init__(self) -> None:
        from accelerate import PartialState

        self.state = PartialState(cpu=not torch.cuda.is_available())
        self.rank, self.count = self.state.process_index, self.state.num_processes
        self.first = self.rank == 0
        self.device = str(self.state.device)

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Add up each tensor over all processes, in place, wherever it lies."""
        if self.count > 1:
            for tensor in tensors:
                here = tensor.to(self.device)
                torch.distributed.all_reduce(here)
                tensor.copy_(here)

    def gather(self, values: list[Any]) -> list[Any]:
        """The values of all processes, in their order; all get all."""
        if self.count == 1:
            return values
        found: list[Any] = [None] * self.count
        torch.distributed.all_gather_object(found, values)
        return [value for part in found for value in part]

    def any(self, value: bool) -> bool:
        """Whether it is true of any process."""
        return any(self.gather([value]))

    def meet(self) -> None:
        """Wait for all."""
        self.state.wait_for_everyone()

    @contextmanager
    def one_by_one(self) -> Iterator[None]:
        """The first process of each machine does this before the others, who find it done."""
        with self.state.local_main_process_first():
            yield
