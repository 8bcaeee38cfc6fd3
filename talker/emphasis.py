"""L1 of the two halves of a frame, with more weight on the mouth and on the eyes than on the rest.

Without emphasis the first is Eq. 6; the second is not in the paper. Nor is the third part of a
frame, the upper half without the eyes, of which neither L1 nor audio can say where it is.
"""

import torch.nn.functional as F
from torch import Tensor

from talker.losses import reconstruction_loss

# Rows and columns of the canonical face, as shares of its height and width.
MOUTH = (74 / 128, 112 / 128, 24 / 96, 72 / 96)
EYES = (24 / 128, 56 / 128, 14 / 96, 82 / 96)  # with brows


def rectangle(
    place: tuple[float, float, float, float], height: int, width: int
) -> tuple[slice, slice]:
    """Rows and columns of a part (top, bottom, left, right) of an image, in whole pixels."""
    top, bottom, left, right = place
    rows = slice(int(top * height), int(bottom * height))
    return rows, slice(int(left * width), int(right * width))


def _part(images: Tensor, place: tuple[float, float, float, float]) -> Tensor:
    """The rectangle `place` of (..., H, W)."""
    return images[(..., *rectangle(place, *images.shape[-2:]))]


def lower_l1(real: Tensor, made: Tensor, mouth: float) -> Tensor:
    """Eq. 6, and `mouth` times the same over the mouth alone, as a weighted mean; a scalar."""
    emphasised = F.l1_loss(_part(made, MOUTH), _part(real, MOUTH))
    return (reconstruction_loss(real, made) + mouth * emphasised) / (1 + mouth)


def eyes_l1(real: Tensor, made: Tensor) -> Tensor:
    """The mean over the eyes alone; a scalar."""
    return F.l1_loss(_part(made, EYES), _part(real, EYES))


def with_rest_of(still: Tensor, frames: Tensor) -> Tensor:
    """Frames (B, F, 3, H, W) whose upper half, but for the eyes, is that of stills (B, 3, H, W)."""
    half = frames.shape[-2] // 2
    joined = still.unsqueeze(1).expand_as(frames).clone()
    joined[..., half:, :] = frames[..., half:, :]
    _part(joined, EYES)[...] = _part(frames, EYES)
    return joined


def still_l1(still: Tensor, made: Tensor) -> Tensor:
    """Mean difference of frames (B, F, 3, H, W) from their stills (B, 3, H, W) in the upper half,
    without the eyes; a scalar."""
    apart = (made - still.unsqueeze(1)).abs()
    half = apart[..., : apart.shape[-2] // 2, :]
    eyes = _part(apart, EYES)
    return (half.sum() - eyes.sum()) / (half.numel() - eyes.numel())


def upper_l1(real: Tensor, made: Tensor, eyes: float) -> Tensor:
    """The same as `lower_l1` for the upper half and the eyes."""
    half = real.shape[-2] // 2
    whole = F.l1_loss(made[..., :half, :], real[..., :half, :])
    return (whole + eyes * eyes_l1(real, made)) / (1 + eyes)
