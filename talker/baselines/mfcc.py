"""Mel-frequency cepstral coefficients of short windows of sound, each on its own.

Speech2Vid and ATVGNet hear 12 coefficients a step, 100 steps a second: 13 are worked out and the
first, which is the loudness, is dropped. A window is transformed without padding, from its own
samples alone, so what a frame hears ends where its window ends.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

RATE = 16000  # samples a second
SPAN, HOP = 400, 160  # samples: 25 ms every 10 ms
COEFFICIENTS = 12


def window_seconds(steps: int) -> float:
    """How long a window is that holds that many steps: 0.365 s for 35."""
    return (SPAN + (steps - 1) * HOP) / RATE


@functools.cache
def _transform(device: torch.device) -> torch.nn.Module:
    import torchaudio.transforms  # here, because importing it costs seconds

    # With `log_mels` a coefficient is no function of the loudest sound in the batch.
    return torchaudio.transforms.MFCC(
        RATE,
        COEFFICIENTS + 1,
        log_mels=True,
        melkwargs={"n_fft": SPAN, "hop_length": HOP, "n_mels": 40, "center": False},
    ).to(device)


def mfcc(windows: Tensor) -> Tensor:
    """float32 (..., samples) at 16 kHz -> float32 (..., 12, steps), in logarithms of power."""
    with torch.autocast(windows.device.type, enabled=False):
        return _transform(windows.device)(windows.float())[..., 1:, :]
