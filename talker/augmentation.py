"""The same words in another voice and room, the same face in other light, for few speakers.

A content encoder that has heard forty voices knows what each of them said by heart, and lips for
a forty-first badly; a decoder that has seen forty skins hardly opens the mouth of one darker than
all of them. Everything here leaves the time of each sound and the shape of the lips as they are.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from talker.audio import audio_frames
from talker.config import AudioConfig

OCTAVES = 0.35  # by which pitch and formants move at most
ROOM = 0.3  # deviation of the last tap, in units of the direct sound; those before it are weaker
TAPS = 12  # of the room's impulse response, at 16 kHz less than a millisecond: a colour, no echo
NOISE_DB = (12, 45)  # signal to noise ratio
GAMMA = 0.9  # largest change of a picture's gamma, in octaves: a skin lighter or darker
CAST = 0.25  # largest change of a colour channel's gain, in octaves
TURN = 4.0  # degrees that a picture is turned at most
ZOOM = 0.06  # octaves
SHIFT = 2.5  # pixels of the 96x128 frame


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


def another_picture(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images uint8 (N, H, W, 3) of one clip in other light and framed a little differently.

    All of them alike: a gamma, a gain of each channel, and a turn, zoom and shift as an aligner
    that is not quite certain might have made them. Pixels from beyond the border repeat it.
    """
    gamma = 2 ** rng.uniform(-GAMMA, GAMMA)
    gains = 2 ** rng.uniform(-CAST, CAST, 3)
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains
    table = np.round(255 * levels.clip(0, 1)).astype(np.uint8)[None]  # (1, 256, 3)
    height, width = images.shape[1:3]
    scale = width / 96
    move = cv2.getRotationMatrix2D(
        (width / 2, height / 2), rng.uniform(-TURN, TURN), 2 ** rng.uniform(-ZOOM, ZOOM)
    )
    move[:, 2] += scale * rng.uniform(-SHIFT, SHIFT, 2)
    return np.stack(
        [
            cv2.LUT(
                cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE),
                table,
            )
            for image in images
        ]
    )
