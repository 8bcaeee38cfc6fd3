"""The processes of a run and their devices, through Lightning Fabric. What to type:

    one GPU         talker train --preset paper --corpus DIR --out OUT --train.devices 1
    four GPUs       talker train --preset paper --corpus DIR --out OUT --train.devices 4
    two machines    MASTER_ADDR=10.0.0.1 MASTER_PORT=29500 NODE_RANK=0 \\
                    talker train --preset paper --corpus DIR --out OUT \\
                    --train.devices 4 --train.nodes 2
                    and the same with NODE_RANK=1 on the other; 10.0.0.1 is the first one's address
    torchrun        torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d \\
                    --rdzv-endpoint 10.0.0.1:29500 -m talker train --preset paper \\
                    --corpus DIR --out OUT --train.devices 4 --train.nodes 2
                    on both machines
    SLURM           srun --nodes 2 --ntasks-per-node 4 --gpus-per-node 4 \\
                    talker train --preset paper --corpus DIR --out OUT \\
                    --train.devices 4 --train.nodes 2

DIR and OUT are on a file system that all machines share. Batch sizes are those of one process:
four GPUs see four times as many clips a step, at the same learning rates.

Fabric starts the processes, gives each its device, precision and place in the process group.
Its data-parallel wrapper is left out: a step calls several methods of the generator and updates
networks in turn, which `DistributedDataParallel` does not allow. Instead weights are sent round
once at the start, and after each backward pass gradients are averaged in one message.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn

from talker.config import TrainConfig
from talker.errors import INSTALL, TalkerError

try:
    from lightning.fabric import Fabric
    from lightning.fabric.utilities.exceptions import MisconfigurationException
except ModuleNotFoundError as error:
    raise TalkerError(
        f"training needs the package lightning, which is not installed: {INSTALL}."
    ) from error

PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}


def batch_norms(module: nn.Module) -> list[nn.Module]:
    """The batch norms, synchronised or not, within a network."""
    return [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


class Devices:
    """This process among those of the run; making one starts the others.

    Raises TalkerError when there are fewer devices than asked for.
    """

    def __init__(self, train: TrainConfig) -> None:
        try:
            self._fabric = Fabric(
                accelerator=train.accelerator,
                devices=train.devices or "auto",
                num_nodes=train.nodes,
                precision=PRECISIONS[train.precision],
            )
        except (RuntimeError, ValueError, MisconfigurationException) as error:
            raise TalkerError(
                f"this machine cannot run on {train.devices or 'its'} {train.accelerator} "
                f"devices ({error}): choose other --train.accelerator or --train.devices."
            ) from error
        self._fabric.launch()
        self.device: torch.device = self._fabric.device
        self.rank: int = self._fabric.global_rank
        self.count: int = self._fabric.world_size
        self.first: bool = self._fabric.is_global_zero

    def autocast(self) -> AbstractContextManager:
        """Products in the run's precision within it; losses, weights and moments stay float32."""
        return self._fabric.autocast()

    def move(self, tensors: Any) -> Any:
        """Tensors, or (named) tuples of them and None, on this process's device."""
        return self._fabric.to_device(tensors)

    def synchronise_norms(self, module: nn.Module) -> None:
        """Batch norms take their statistics over the batches of all processes from now on.

        Raises TalkerError on the CPU, for which PyTorch has no such norm.
        """
        if self.count == 1 or not batch_norms(module):
            return
        if self.device.type != "cuda":
            raise TalkerError(
                "batch statistics cannot be shared between processes on the CPU: add "
                "--train.freeze-statistics, or --model.normalisation group "
                "--model.audio-normalisation group, or use one process."
            )
        nn.SyncBatchNorm.convert_sync_batchnorm(module)  # within the module, which stays itself

    @torch.no_grad()
    def share(self, modules: Iterable[nn.Module]) -> None:
        """Give every process the weights and statistics of the first."""
        if self.count > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    plain = tensor.contiguous()
                    torch.distributed.broadcast(plain, 0)
                    tensor.copy_(plain)

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace gradients by their mean over all processes, in one message."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        flat = self._fabric.all_reduce(flat, reduce_op="mean")
        for gradient, mean in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.view(gradient.shape))

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Mean over all processes of numbers that go by the same names in each."""
        if self.count == 1:
            return values
        numbers = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        means = self._fabric.all_reduce(numbers, reduce_op="mean").tolist()
        return dict(zip(values, means, strict=True))

    def any(self, flag: bool) -> bool:
        """Whether it is so in some process; all hear the same."""
        return self.mean({"flag": float(flag)})["flag"] > 0

    def from_first(self, value: Any) -> Any:
        """What the first process says, on all."""
        return self._fabric.broadcast(value) if self.count > 1 else value

    def wait(self) -> None:
        """Go on when all processes have come here."""
        self._fabric.barrier()
