"""L1 of the two halves of a frame, with more weight on the mouth and on the eyes than on the rest.

Without emphasis the first is Eq. 6; the second is not in the paper.
"""

import torch.nn.functional as F
from torch import Tensor

from talker.losses import reconstruction_loss

# Rows and columns of the canonical face, as shares of its height and width.
MOUTH = (74 / 128, 112 / 128, 24 / 96, 72 / 96)
EYES = (32 / 128, 56 / 128, 14 / 96, 82 / 96)


def _part(images: Tensor, place: tuple[float, float, float, float]) -> Tensor:
    """The rectangle `place` (top, bottom, left, right) of (..., H, W)."""
    height, width = images.shape[-2:]
    top, bottom, left, right = place
    rows = slice(int(top * height), int(bottom * height))
    return images[..., rows, int(left * width) : int(right * width)]


def lower_l1(real: Tensor, made: Tensor, mouth: float) -> Tensor:
    """Eq. 6, and `mouth` times the same over the mouth alone, as a weighted mean; a scalar."""
    emphasised = F.l1_loss(_part(made, MOUTH), _part(real, MOUTH))
    return (reconstruction_loss(real, made) + mouth * emphasised) / (1 + mouth)


def upper_l1(real: Tensor, made: Tensor, eyes: float) -> Tensor:
    """The same for the upper half and the eyes."""
    half = real.shape[-2] // 2
    emphasised = F.l1_loss(_part(made, EYES), _part(real, EYES))
    return (F.l1_loss(made[..., :half, :], real[..., :half, :]) + eyes * emphasised) / (1 + eyes)
