"""Stored clips -> training batches.

All that is random comes from the generator that the caller passes, one for each step of a run, so
that a run which is resumed sees the batches it would have seen.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.audio import audio_frames
from talker.augmentation import another_picture, another_voice
from talker.config import AudioConfig
from talker.errors import TalkerError
from talker.metrics.landmarks import lip_shape
from talker.store import FPS, StoredClip, count_frames, read_frames, read_sound, sound_rate

MEMORY = 4e9  # bytes of frames that are kept: 140,000 frames, or 1,900 clips of GRID


class Batch(NamedTuple):
    """still (B, 3, H, W) and real frames (B, F, 3, H, W), float32 in [-1, 1]; audio_frames
    (B, T, window * rate) float32; at (B, F) int64: which of the T audio frames each frame is of;
    lips (B, T, 4) float32: see `lip_shape`, less that of the still, in deviations over the corpus.
    """

    still: Tensor
    audio_frames: Tensor
    frames: Tensor
    at: Tensor
    lips: Tensor


class Footage:
    """A stored clip's frames, uint8 (T, H, W, 3): decoded as they are asked for, or kept."""

    def __init__(self, path: Path, memory: Memory) -> None:
        self._path, self._memory = path, memory
        self._frames: np.ndarray | None = None

    @functools.cached_property
    def _count(self) -> int:
        return count_frames(self._path)

    def __len__(self) -> int:
        return self._count

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[np.arange(len(self))], dtype)

    def __getitem__(self, numbers: np.ndarray) -> np.ndarray:
        """The frames of an array of numbers, (N, H, W, 3)."""
        if self._frames is None and self._memory.left > 0:
            self._frames = read_frames(self._path)
            self._memory.left -= self._frames.nbytes
        if self._frames is not None:
            return self._frames[numbers]
        return read_frames(self._path, numbers.tolist())


@dataclass
class Memory:
    """Bytes that are left for frames which are kept once decoded."""

    left: float


class Sounds(Sequence):
    """The sounds of stored clips, float32 (S,) each, read as they are asked for."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> np.ndarray:
        return read_sound(self._paths[number])


class LipShapes:
    """The lip shapes of stored clips, (T, 4) each, in their deviations over a sample of clips."""

    SAMPLE = 100  # clips, spread over all

    def __init__(self, clips: list[StoredClip]) -> None:
        self._clips = clips
        self._kept: dict[int, np.ndarray] = {}
        sample = np.linspace(0, len(clips) - 1, min(len(clips), self.SAMPLE)).astype(int)
        spread = [self._read(int(number)).var(axis=0) for number in sample]
        self._deviation = np.maximum(np.sqrt(np.mean(spread, axis=0)), 1e-6)

    def _read(self, number: int) -> np.ndarray:
        return lip_shape(np.asarray(self._clips[number].truth["landmarks"]))

    def __getitem__(self, number: int) -> np.ndarray:
        if number not in self._kept:
            self._kept[number] = self._read(number) / self._deviation
        return self._kept[number]


class Clips:
    """Clips of one split.

    A corpus of up to `memory` bytes of frames (28 KB each) is decoded once. Of a larger one the
    clips that are asked for first are kept, and of all others only the frames that a batch needs
    are decoded: what a batch holds does not depend on it.

    With `voices`, every sound is heard in another voice, with `pictures`, every face is seen in
    other light (`talker.augmentation`).
    Raises TalkerError when `audio` has another frame rate than stored clips, or a clip's sound
    another rate than `audio`.
    """

    def __init__(
        self,
        clips: list[StoredClip],
        audio: AudioConfig,
        memory: float = MEMORY,
        voices: bool = False,
        pictures: bool = False,
    ) -> None:
        if audio.fps != FPS:
            raise TalkerError(f"audio.fps is {audio.fps}: stored clips have {FPS} frames a second.")
        self.audio, self.names = audio, [clip.name for clip in clips]
        left = Memory(memory)
        self.frames: Sequence[Footage | np.ndarray] = [Footage(clip.video, left) for clip in clips]
        self.signals: Sequence[np.ndarray] = Sounds([clip.audio for clip in clips])
        self.lips = LipShapes(clips)
        self.voices, self.pictures = voices, pictures
        for clip in clips:
            rate = sound_rate(clip.audio)
            if rate != audio.rate:
                raise TalkerError(
                    f"{clip.audio} has {rate} samples a second: prepare it at {audio.rate}."
                )

    def __len__(self) -> int:
        return len(self.frames)

    def batch(
        self, rng: np.random.Generator, clips: int, window: int, decoded: str | int, stride: int = 1
    ) -> Batch:
        """A random batch: `clips` clips, a window of T frames each, some of them decoded.

        The still is the clip's first frame; with `pictures`, once in ten times any of its frames.
        Still and frames are mirrored together half the time. With `voices` the sound's level varies
        by -9 to +6 dB.

        Args:
            window: T, or the length of the shortest of the clips where that is less.
            decoded: a number of frames, drawn at random and in order; or "run" for one snippet of
                consecutive ones; or "all" for every `stride`-th from a random start.
        """
        stills, sounds, frames, at, lips = [], [], [], [], []
        drawn = rng.integers(len(self), size=clips)
        length = min(window, *(len(self.frames[chosen]) for chosen in drawn))
        for chosen in drawn:
            video, signal = self.frames[chosen], self.signals[chosen]
            start = int(rng.integers(len(video) - length + 1))
            picked = self._pick(rng, length, decoded, stride)
            # The dice are thrown with and without alterations: all else is the same then.
            still, rarely = int(rng.integers(len(video))), rng.random() < 0.1
            still = still if self.pictures and rarely else 0
            flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
            seen = video[np.append(still, start + picked)][:, :, flip]  # one look into the file
            if self.pictures:
                seen = another_picture(np.ascontiguousarray(seen), rng)
            stills.append(seen[0])
            frames.append(seen[1:])
            level = np.float32(10 ** (rng.uniform(-9, 6) / 20))
            if self.voices:
                cut = another_voice(torch.from_numpy(level * signal), self.audio, len(video), rng)
            else:
                cut = audio_frames(torch.from_numpy(signal), self.audio, len(video))
            sounds.append(cut[start : start + length])
            at.append(picked)
            lips.append(self.lips[chosen][start : start + length] - self.lips[chosen][still])
        return Batch(
            to_unit(np.stack(stills)),
            torch.stack(sounds),
            to_unit(np.stack(frames)),
            torch.from_numpy(np.stack(at)),
            torch.from_numpy(np.stack(lips)),
        )

    def _pick(
        self, rng: np.random.Generator, length: int, decoded: str | int, stride: int
    ) -> np.ndarray:
        if decoded == "all":
            return np.arange(int(rng.integers(stride)), length, stride)[: length // stride]
        if decoded == "run":
            snippet = self.audio.snippet
            return int(rng.integers(length - snippet + 1)) + np.arange(snippet)
        return np.sort(rng.choice(length, size=decoded, replace=False))


def to_unit(images: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).movedim(-1, -3)
    return tensor.to(torch.float32) / 127.5 - 1
