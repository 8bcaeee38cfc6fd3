"""A generated clip beside the real one, with what several metrics need worked out once."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from talker.evaluators.face_embedding import find_embedding
from talker.faces import find_detector
from talker.metrics.identity import EVERY
from talker.metrics.landmarks import eye_aspect_ratio
from talker.metrics.sharpness import looked_at
from talker.store import FPS
from talker.tracking import follow, main_face

Value = TypeVar("Value")


class Footage:
    """One video as metrics see it: aligned crops at 25 fps, its sound, and what is found in them.

    frames: uint8 (T, 128, 96, 3) RGB, T at least 1. audio: float32 (640 T,) mono at 16 kHz, its
    first sample heard as the first frame appears; None where there is no sound.
    """

    fps = FPS

    def __init__(self, frames: np.ndarray, audio: np.ndarray | None = None) -> None:
        self.frames, self.audio = frames, audio
        self._known: dict[tuple, object] = {}

    def once(self, function: Callable[..., Value], *more: Hashable) -> Value:
        """function(self, *more), worked out once however many metrics ask."""
        if (function, more) not in self._known:
            self._known[function, more] = function(self, *more)
        return self._known[function, more]

    def with_sound(self, audio: np.ndarray | None) -> Footage:
        """The same pictures, and what is known of them, with another sound."""
        other = copy.copy(self)
        other.audio, other._known = audio, {}
        return other

    @functools.cached_property
    def landmarks(self) -> np.ndarray:
        """The 68 landmarks in pixels of the crop, (T, 68, 2); NaN in frames without a face."""
        tracks = follow(iter(self.frames), find_detector())
        if not tracks:
            return np.full((len(self.frames), 68, 2), np.nan, np.float32)
        return main_face(tracks).array(len(self.frames))

    @functools.cached_property
    def ear(self) -> np.ndarray:
        """Eye aspect ratio (T,), NaN in frames without a face."""
        return eye_aspect_ratio(self.landmarks)

    @functools.cached_property
    def still(self) -> np.ndarray:
        """Embedding of the first frame, (D,): the still, as the paper generates from it."""
        return self._embedded(self.frames[:1], self.landmarks[:1])[0]

    @functools.cached_property
    def embeddings(self) -> np.ndarray:
        """Embeddings (N, D) of every fifth frame, the third first; NaN in those without a face."""
        return self._embedded(looked_at(self.frames, EVERY), looked_at(self.landmarks, EVERY))

    @staticmethod
    def _embedded(frames: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        embedding = find_embedding()
        rows = np.full((len(frames), embedding.dimensions), np.nan, np.float32)
        for row, frame, marks in zip(rows, frames, landmarks, strict=True):
            if np.isfinite(marks).all():
                row[:] = embedding.embed(frame, marks)
        return rows


@dataclass(frozen=True)
class Weights:
    """Files with weights of the evaluator networks; None takes those that come with the package."""

    synchrony: Path | None = None
    lip_reader: Path | None = None


@dataclass(frozen=True)
class Pair:
    """A generated video and the real one that it is to resemble, frame by frame.

    A generated video without sound has that of the real one, which it was made from. transcript:
    what is said, lower-case words with single spaces between them; None where nobody knows.
    """

    generated: Footage
    real: Footage
    transcript: str | None = None
    weights: Weights = field(default_factory=Weights)
