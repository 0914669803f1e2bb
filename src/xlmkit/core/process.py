"""The processes of one run: this one's rank, how many there are, and sums over all of them.

`torchrun` sets RANK, WORLD_SIZE and the address of the first process; Slurm's own variables serve
where torchrun did not start the processes. Without either there is one process, and sums cost
nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlmkit.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Processes:
    """Rank of this process, from 0, and the number of processes."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def sum(self, tensor: "Tensor") -> None:
        """Replace the tensor by its sum over all processes."""
        if self.size > 1:
            import torch.distributed as dist

            dist.all_reduce(tensor)

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            import torch.distributed as dist

            dist.barrier()


@contextmanager
def process_group() -> Iterator[Processes]:
    """Join the processes that torchrun or Slurm started; leave them at the end.

    Raises:
        UserError: the variables of the launcher contradict each other.
    """
    rank, size = _place()
    if size == 1:
        yield Processes()
        return
    import torch
    import torch.distributed as dist

    dist.init_process_group(
        "nccl" if torch.cuda.is_available() else "gloo", rank=rank, world_size=size
    )
    try:
        yield Processes(rank, size)
    finally:
        dist.destroy_process_group()


def _place() -> tuple[int, int]:
    environment = os.environ
    try:
        rank = int(environment.get("RANK", environment.get("SLURM_PROCID", "0")))
        size = int(environment.get("WORLD_SIZE", environment.get("SLURM_NTASKS", "1")))
    except ValueError as error:
        raise UserError(f"RANK or WORLD_SIZE is not a number: {error}.") from None
    if size > 1 and "MASTER_ADDR" not in environment:
        if "WORLD_SIZE" not in environment:
            return 0, 1  # an interactive Slurm allocation, not a launched process
        raise UserError(
            "WORLD_SIZE is set but MASTER_ADDR is not; start several processes with torchrun."
        )
    if not 0 <= rank < size:
        raise UserError(f"RANK is {rank} but WORLD_SIZE is {size}; start processes with torchrun.")
    return rank, size
