"""The same words in another voice and another room, for training on few speakers.

A content encoder that has heard forty voices knows what each of them said by heart, and lips for
a forty-first badly. Everything here leaves the time of each sound as it is.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from talker.audio import audio_frames
from talker.config import AudioConfig

OCTAVES = 0.35  # by which pitch and formants move at most
ROOM = 0.3  # deviation of the first echo, in units of the direct sound
TAPS = 12  # of the room's impulse response, at 16 kHz less than a millisecond: a colour, no echo
NOISE_DB = (12, 45)  # signal to noise ratio


def another_voice(
    signal: Tensor, audio: AudioConfig, frames: int, rng: np.random.Generator
) -> Tensor:
    """Audio frames (frames, window * rate) of a signal (S,) as somebody else might have said it.

    Pitch and formants move together: each audio frame is a longer or shorter piece of the signal
    about the same middle, resampled to the usual length. A random short filter stands for the
    microphone, white noise for the room.
    """
    filter_ = ROOM * rng.standard_normal(TAPS) * 0.8 ** np.arange(TAPS)
    filter_[-1] = 1.0  # the direct sound; conv1d correlates, so the newest sample is last
    kernel = torch.from_numpy(filter_.astype(np.float32))[None, None]
    heard = F.conv1d(F.pad(signal[None, None], (TAPS - 1, 0)), kernel)[0, 0]
    deviation = heard.std().item() * 10 ** (-rng.uniform(*NOISE_DB) / 20)
    noise = rng.standard_normal(len(heard), dtype=np.float32)
    heard = heard + deviation * torch.from_numpy(noise)
    # An even number of samples, like the stride, so that the middle stays the middle.
    piece = 2 * round(audio.samples / 2 * 2 ** rng.uniform(-OCTAVES, OCTAVES))
    stretched = dataclasses.replace(audio, window=piece / audio.rate)
    cut = audio_frames(heard, stretched, frames)
    return F.interpolate(cut[:, None], audio.samples, mode="linear", align_corners=False)[:, 0]
