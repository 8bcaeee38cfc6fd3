"""Landmarks as a few numbers: principal components of a corpus's faces (ATVGNet, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

POINTS = 68


class LandmarkSpace(nn.Module):
    """Faces are aligned when a corpus is prepared, so components are of shape, pose and speech.

    Coefficients are in deviations of their component within a clip: over all clips most of a
    deviation is who it is, and what moves would be small numbers. The buffers go to disk with the
    network that owns the space.
    """

    def __init__(self, components: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(2 * POINTS))
        self.register_buffer("basis", torch.eye(2 * POINTS, components))
        self.register_buffer("deviation", torch.ones(components))

    @torch.no_grad()
    def fit(self, clips: Sequence[Tensor]) -> None:
        """Find mean and components of clips (T, 68, 2) on the plane of `lessons.on_plane`."""
        each = [landmarks.flatten(1).double() for landmarks in clips]
        flat = torch.cat(each)
        mean = flat.mean(0)
        covariance = (flat - mean).T @ (flat - mean) / len(flat)
        _, vectors = torch.linalg.eigh(covariance)  # smallest first
        basis = vectors.flip(1)[:, : len(self.deviation)]
        moves = torch.cat([clip - clip.mean(0) for clip in each]) @ basis
        self.mean.copy_(mean)
        self.basis.copy_(basis)
        # A thousandth of half the crop's height, a sixteenth of a pixel, is noise of the detector.
        self.deviation.copy_(moves.square().mean(0).sqrt().clamp(min=1e-3))

    def coefficients(self, landmarks: Tensor) -> Tensor:
        """(..., 68, 2) -> (..., components)."""
        return (landmarks.flatten(-2) - self.mean) @ self.basis / self.deviation

    def moved(self, landmarks: Tensor, change: Tensor) -> Tensor:
        """Landmarks (..., 68, 2) whose coefficients (..., components) have changed by so much."""
        step = (change * self.deviation) @ self.basis.T
        return landmarks + step.unflatten(-1, (POINTS, 2))
