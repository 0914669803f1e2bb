"""The processes of one run: this one's rank, how many there are, and sums over all of them.

`torchrun` sets RANK, WORLD_SIZE and the address of the first process; Slurm's own variables serve
where torchrun did not start the processes. Without either there is one process, and sums cost
nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from xlmkit.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

_PATIENCE = timedelta(days=7)  # for the first process, which alone prepares and evaluates


@dataclass(frozen=True, slots=True)
class Processes:
    """Rank of this process, from 0, and the number of processes."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    @property
    def on_this_machine(self) -> int:
        """How many of the processes share this machine."""
        return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if self.size > 1 else 1

    def sum(self, tensor: "Tensor") -> None:
        """Replace the tensor by its sum over all processes.

        Raises:
            UserError: another process has ended.
        """
        if self.size > 1:
            import torch.distributed as dist

            try:
                dist.all_reduce(tensor)
            except RuntimeError as error:
                raise UserError(
                    f"Process {self.rank} of {self.size} has lost the others; the first of them "
                    f"that stopped has said why ({str(error).splitlines()[0]})."
                ) from None

    def barrier(self) -> None:
        """Wait until every process is here.

        Raises:
            UserError: another process has ended.
        """
        if self.size > 1:
            import torch

            self.sum(torch.zeros(1))  # dist.barrier would guess a device


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

    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank)) % torch.cuda.device_count())
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, rank=rank, world_size=size, timeout=_PATIENCE)
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
