"""Layers that several networks share: the choice of norm, and the discriminators' image stack."""

import torch
from torch import Tensor, nn


class _FrozenFast:
    """Batch norm whose eval mode is one multiply-add, the same numbers as PyTorch's.

    PyTorch's own backward pass in eval mode runs on one thread of a CPU, and training with stored
    statistics (`TrainConfig.freeze_statistics`) spends half of its time there.
    """

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        shift = self.bias - self.running_mean * scale
        shape = (1, -1) + (1,) * (x.ndim - 2)
        # In the precision of x: half as much to move where that is bfloat16.
        return torch.addcmul(shift.view(shape).to(x.dtype), x, scale.view(shape).to(x.dtype))


class BatchNorm1d(_FrozenFast, nn.BatchNorm1d):
    """`nn.BatchNorm1d`, faster in eval mode."""


class BatchNorm2d(_FrozenFast, nn.BatchNorm2d):
    """`nn.BatchNorm2d`, faster in eval mode."""


BATCH_NORMS = {1: BatchNorm1d, 2: BatchNorm2d}


def group_norm(channels: int) -> nn.GroupNorm:
    """Group norm over groups of about 8 channels: one example's statistics, nobody else's."""
    most = max(1, channels // 8)
    groups = max(g for g in range(1, most + 1) if channels % g == 0)
    return nn.GroupNorm(groups, channels)


def normalise(kind: str, channels: int, dimensions: int) -> nn.Module:
    """A "batch" (the paper's) or "group" norm for signals (dimensions=1) or images (2)."""
    return group_norm(channels) if kind == "group" else BATCH_NORMS[dimensions](channels)


def halving_stack(channels: int, width: int, levels: int) -> nn.Sequential:
    """`levels` 4x4 convolutions of stride 2, doubling from `width` channels: a critic's eye.

    (N, channels, y, x) -> (N, width * 2**(levels - 1), y / 2**levels, x / 2**levels). LeakyReLU
    after each. Group norm on all but the first, never batch norm: with batch norm, real and fake
    batches can be told apart by their statistics alone, and the loss collapses.
    """
    layers: list[nn.Module] = []
    for level in range(levels):
        after = width << level
        layers.append(nn.Conv2d(channels, after, 4, stride=2, padding=1, bias=level == 0))
        if level:
            layers.append(group_norm(after))
        layers.append(nn.LeakyReLU(0.2))
        channels = after
    return nn.Sequential(*layers)
