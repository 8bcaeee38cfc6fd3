"""How sharp frames are, without anything to compare them with: CPBD, and the Laplacian's variance.

CPBD depends on the size of the picture, so it is only comparable on one: here on aligned crops of
96x128, upright.
"""

from __future__ import annotations

import cv2
import numpy as np

from talker.metrics.extra import installed

EVERY = 5  # of so many frames one is looked at by CPBD: 0.04 s of processor time each
BLOCK = 64  # pixels, of the blocks that CPBD is made of


def _grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


def cpbd(frames: np.ndarray, every: int = EVERY) -> float:
    """Cumulative probability of blur detection, 0 (blurred) to 1, the mean over frames.

    N. D. Narvekar, L. J. Karam, "A no-reference image blur metric based on the cumulative
    probability of blur detection (CPBD)", TIP 2011; software of the Image, Video, and Usability
    Laboratory, Arizona State University, in the port cpbd-py312. It is the share of vertical edges
    whose blur nobody would notice.

    The software only counts whole blocks of 64x64 pixels, so columns 64-95 of a crop would not
    count. Each frame is therefore measured together with its mirror image at its right, 192 wide:
    every column counts twice, and the seam is no edge.

    frames: uint8 (T, H, W, 3) RGB, H a multiple of 64 and W of 32. The frames looked at are spread
    evenly, one of `every`. NaN for no frames. Raises ValueError for another size, TalkerError when
    the package is not installed.
    """
    height, width = frames.shape[1:3]
    if height % BLOCK or 2 * width % BLOCK:
        raise ValueError(f"CPBD drops pixels of frames of {width}x{height}")
    with installed():
        from cpbd import compute
    chosen = [_grey(frame) for frame in looked_at(frames, every)]
    values = [compute(np.concatenate([grey, grey[:, ::-1]], axis=1)) for grey in chosen]
    return float(np.mean(values)) if values else float("nan")


def looked_at(frames: np.ndarray, every: int) -> np.ndarray:
    """One of so many frames, the middle one of each run; never none of a video that has some."""
    return frames[min(every // 2, max(0, len(frames) - 1)) :: every]


def laplacian_variance(frames: np.ndarray) -> float:
    """Variance of the Laplacian of luminance (0-255), squared grey levels, the mean over frames.

    J. L. Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative
    study", ICPR 2000. Noise raises it without bound. frames: uint8 (T, H, W, 3) RGB; NaN for no
    frames.
    """
    values = [cv2.Laplacian(_grey(frame), cv2.CV_64F).var() for frame in frames]
    return float(np.mean(values)) if values else float("nan")
