"""How near generated frames are to the real ones: PSNR and SSIM (section 5, Tables 5 and 6).

Conventions, because published numbers differ by several dB between them: colour (RGB), one value
of a whole video, PSNR from the error of all its pixels and not as a mean of frames' PSNR, SSIM as
the mean of its frames. Both come from torchmetrics.
"""

from __future__ import annotations

import numpy as np
import torch

from talker.metrics.extra import installed

with installed():
    from torchmetrics.functional.image import (
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )


def lower_half(frames: np.ndarray) -> np.ndarray:
    """The half of each frame (T, H, W, 3) that Eq. 6 reconstructs: rows H // 2 and below."""
    return frames[:, frames.shape[1] // 2 :]


def psnr(generated: np.ndarray, real: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, data range 255; infinite for equal frames.

    generated, real: uint8 (T, H, W, 3). Raises ValueError when their shapes differ.
    """
    _alike(generated, real)
    made, true = (torch.from_numpy(frames.astype(np.float64)) for frames in (generated, real))
    return float(peak_signal_noise_ratio(made, true, data_range=255.0))


def ssim(generated: np.ndarray, real: np.ndarray) -> float:
    """Structural similarity, at most 1, which equal frames have.

    Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image quality assessment: from error
    visibility to structural similarity", TIP 2004: Gaussian window of deviation 1.5, data range 1.
    Every pixel counts, those at the border by mirroring; scikit-image leaves out 5 at each side.
    generated, real: uint8 (T, H, W, 3), at least 11 pixels high and wide. Raises ValueError when
    their shapes differ.
    """
    _alike(generated, real)
    made, true = (
        torch.from_numpy(frames.astype(np.float32)).movedim(-1, 1) / 255
        for frames in (generated, real)
    )
    return float(structural_similarity_index_measure(made, true, data_range=1.0))


def _alike(generated: np.ndarray, real: np.ndarray) -> None:
    if generated.shape != real.shape:
        raise ValueError(f"frames of shape {generated.shape} against {real.shape}")
