"""Stored clips -> training batches.

All that is random comes from the generator that the caller passes, one for each step of a run, so
that a run which is resumed sees the batches it would have seen.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.audio import audio_frames
from talker.config import AudioConfig
from talker.corpora.rendered import RenderedClip
from talker.errors import TalkerError
from talker.media import read_audio, read_video
from talker.metrics.landmarks import inner_lip_distance, inter_ocular_distance, mouth_width


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


def lip_shape(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (T, 68, 2) -> (T, 4) float32: what lips and jaw do, in inter-ocular distances.

    Opening of the inner lips, width of the mouth, height of the outer lips, nose base to chin: none
    changes when a face is mirrored.
    """
    unit = inter_ocular_distance(landmarks)
    outer = np.linalg.norm(landmarks[:, 51] - landmarks[:, 57], axis=-1) / unit
    jaw = np.linalg.norm(landmarks[:, 33] - landmarks[:, 8], axis=-1) / unit
    shape = [inner_lip_distance(landmarks), mouth_width(landmarks), outer, jaw]
    return np.stack(shape, axis=1).astype(np.float32)


class Clips:
    """Clips of one split, decoded once into memory (28 KB a frame as uint8).

    Raises TalkerError when a clip's sound has another rate than `audio`, or it has no frames.
    """

    def __init__(self, clips: list[RenderedClip], audio: AudioConfig) -> None:
        self.audio, self.names = audio, [clip.name for clip in clips]
        self.frames: list[np.ndarray] = []
        self.signals: list[np.ndarray] = []
        shapes = [lip_shape(np.asarray(clip.truth["landmarks"])) for clip in clips]
        for clip in clips:
            frames, _ = read_video(clip.video)
            signal, rate = read_audio(clip.audio)
            if rate != audio.rate or not len(frames):
                raise TalkerError(
                    f"{clip.audio} has {rate} samples a second and {len(frames)} frames: "
                    f"prepare it at {audio.rate} samples a second."
                )
            self.frames.append(frames)
            self.signals.append(signal)
        deviation = np.sqrt(np.mean([shape.var(axis=0) for shape in shapes], axis=0))
        self.lips = [shape / np.maximum(deviation, 1e-6) for shape in shapes]

    def __len__(self) -> int:
        return len(self.frames)

    def batch(
        self, rng: np.random.Generator, clips: int, window: int, decoded: str | int, stride: int = 1
    ) -> Batch:
        """A random batch: `clips` clips, a window of T frames each, some of them decoded.

        The still is the clip's first frame, once in ten times any of its frames. Still and frames
        are mirrored together half the time, and the sound's level varies by -9 to +6 dB.

        Args:
            window: T, or the whole clip where that is shorter.
            decoded: a number of frames, drawn at random and in order; or "run" for one snippet of
                consecutive ones; or "all" for every `stride`-th from a random start.
        """
        stills, sounds, frames, at, lips = [], [], [], [], []
        for chosen in rng.integers(len(self), size=clips):
            video, signal = self.frames[chosen], self.signals[chosen]
            length = min(window, len(video))
            start = int(rng.integers(len(video) - length + 1))
            picked = self._pick(rng, length, decoded, stride)
            still = 0 if rng.random() < 0.9 else int(rng.integers(len(video)))
            flip = slice(None, None, -1 if rng.random() < 0.5 else 1)
            stills.append(video[still][:, flip])
            frames.append(video[start + picked][:, :, flip])
            gain = np.float32(10 ** (rng.uniform(-9, 6) / 20))
            cut = audio_frames(torch.from_numpy(signal * gain), self.audio, len(video))
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
