"""Stored clips -> what the baselines learn from, the same draws for all of them.

`talker.dataset` serves the generator and has no landmarks and no choice of consecutive frames; what
is random here is random in the same way there, with voices and pictures altered, so that no method
of a comparison has seen more than another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.augmentation import another_picture, another_voice
from talker.config import AudioConfig
from talker.dataset import Clips, to_unit
from talker.faces import CANONICAL_SIZE
from talker.store import StoredClip
from talker.tracking import MIRRORED


class Lesson(NamedTuple):
    """B windows of T frames, of which F are to be made.

    still (B, 3, H, W) and real frames (B, F, 3, H, W), float32 in [-1, 1]; heard (B, T, samples)
    float32: what each frame of the window hears; at (B, F) int64: which of the T the F frames are;
    still_landmarks (B, 68, 2) and landmarks (B, T, 68, 2) float32, as `on_plane` gives them; lips
    (B, T, 4) float32: what lips and jaw do, see `talker.dataset.Batch`.
    """

    still: Tensor
    frames: Tensor
    heard: Tensor
    at: Tensor
    still_landmarks: Tensor
    landmarks: Tensor
    lips: Tensor


def on_plane(landmarks: np.ndarray) -> np.ndarray:
    """Pixels (..., 68, 2) of the 96x128 crop -> float32 from its centre over half its height."""
    height, width = CANONICAL_SIZE
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return ((landmarks - centre) / (height / 2)).astype(np.float32)


def mirrored(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (..., 68, 2) on the plane of `on_plane`, of the mirrored picture."""
    return landmarks[..., MIRRORED, :] * np.array([-1, 1], np.float32)


class Lessons:
    """The clips of one split, as a method hears and sees them.

    audio: with the window that the method hears. Raises TalkerError when a clip's sound has
    another rate.
    """

    def __init__(self, clips: list[StoredClip], audio: AudioConfig) -> None:
        self._clips, self._data, self._audio = clips, Clips(clips, audio), audio
        self._kept: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._clips)

    def landmarks(self, number: int) -> np.ndarray:
        """Of all frames of a clip, (T, 68, 2) on the plane."""
        if number not in self._kept:
            self._kept[number] = on_plane(np.asarray(self._clips[number].truth["landmarks"]))
        return self._kept[number]

    def sampled_landmarks(self, clips: int) -> list[np.ndarray]:
        """Of that many clips, spread over all, and of their mirror images: (T, 68, 2) each."""
        chosen = np.linspace(0, len(self) - 1, min(clips, len(self))).round().astype(int)
        points = [self.landmarks(int(number)) for number in chosen]
        return points + [mirrored(each) for each in points]

    def draw(
        self,
        rng: np.random.Generator,
        clips: int,
        window: int,
        decoded: int,
        run: bool,
        any_still: bool = False,
    ) -> Lesson:
        """A random lesson; T is `window`, or the length of the shortest of the clips drawn.

        decoded: F; with `run` consecutive frames, else any of the window, in order. The still is
        the clip's first frame, once in ten times any, or always any with `any_still`. Voice, light
        and framing are altered and half of the clips mirrored. Landmarks are mirrored too, but stay
        as they were before the picture was moved by its few pixels and degrees: it is their change
        that methods learn from.
        """
        drawn = rng.integers(len(self), size=clips)
        length = min(window, *(len(self._data.frames[number]) for number in drawn))
        chosen = (length, min(decoded, length), run, any_still)
        rows = [self._one(int(number), rng, *chosen) for number in drawn]
        return Lesson(*(torch.stack(column) for column in zip(*rows, strict=True)))

    def _one(
        self,
        number: int,
        rng: np.random.Generator,
        length: int,
        decoded: int,
        run: bool,
        any_still: bool,
    ) -> Lesson:
        """The same without B."""
        video, signal = self._data.frames[number], self._data.signals[number]
        start = int(rng.integers(len(video) - length + 1))
        if run:
            at = int(rng.integers(length - decoded + 1)) + np.arange(decoded)
        else:
            at = np.sort(rng.choice(length, size=decoded, replace=False))
        still = int(rng.integers(len(video))) if any_still or rng.random() < 0.1 else 0
        seen = video[np.append(still, start + at)]
        points = self.landmarks(number)[np.append(still, start + np.arange(length))]
        if rng.random() < 0.5:
            seen, points = seen[:, :, ::-1], mirrored(points)
        seen = to_unit(another_picture(np.ascontiguousarray(seen), rng))
        level = np.float32(10 ** (rng.uniform(-9, 6) / 20))
        cut = another_voice(torch.from_numpy(level * signal), self._audio, len(video), rng)
        marks = torch.from_numpy(points)
        heard = cut[start : start + length]
        shapes = self._data.lips[number]
        lips = torch.from_numpy(shapes[start : start + length] - shapes[still])
        return Lesson(seen[0], seen[1:], heard, torch.from_numpy(at), marks[0], marks[1:], lips)
