"""What training and comparison ask of a method, and its weights on disk.

A method is one file with a class derived from `Baseline` and one line in
`talker.baselines.training.METHODS`. It says how long a piece of sound a frame hears; how frames are
made while it learns (`imagine`) and what they cost (`judge`, `loss`); and how they are made one
after the other from a still and a recording (`begin`, `carry_on`), which gives `animate`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from talker.animate import CHUNK, to_pictures, to_tensor
from talker.audio import audio_frames
from talker.baselines.lessons import Lesson, Lessons
from talker.config import AudioConfig
from talker.emphasis import MOUTH, rectangle

Row = dict[str, Tensor]


@dataclass(frozen=True)
class Settings:
    """What every method's settings have."""

    rate: float = 2e-4  # Adam's
    clips: int = 8  # B of a lesson
    window: int = 25  # its T
    decoded: int = 3  # its F


def emphasised(values: Tensor, mouth: float) -> Tensor:
    """Mean of values (..., H, W), with that of the mouth's rectangle `mouth` times beside it."""
    rows, columns = rectangle(MOUTH, *values.shape[-2:])
    return (values.mean() + mouth * values[..., rows, columns].mean()) / (1 + mouth)


class Made(NamedTuple):
    """What a method makes of a lesson: frames (B, F, 3, H, W) in [-1, 1]; some have more.

    codes: (B, T, D), of the sounds of the whole window; attention: (B, F, 1, H, W) in [0, 1];
    colour: like frames; landmarks: (B, T, 68, 2), predicted for the whole window.
    """

    frames: Tensor
    codes: Tensor | None = None
    attention: Tensor | None = None
    colour: Tensor | None = None
    landmarks: Tensor | None = None


class Baseline(ABC):
    """A method: `maker` is what makes frames and is kept; `critic` and `helper` help to train it.

    The helper learns with the maker, the critic against it; a method may have neither. All are
    made from random numbers of PyTorch's global generator.
    """

    Settings: ClassVar[type[Settings]]
    audio: ClassVar[AudioConfig]  # its window is what one frame hears
    run: ClassVar[bool] = False  # whether it learns from consecutive frames
    any_still: ClassVar[bool] = False  # whether its stills are any frames of the clips
    settings: Settings
    maker: nn.Module
    critic: nn.Module | None = None
    helper: nn.Module | None = None

    def prepare(self, lessons: Lessons) -> None:  # noqa: B027
        """Look at the clips before the first step; most methods need not."""

    def rate(self, step: int) -> float:
        """Adam's of the maker and the helper, at a step counted from 0."""
        return self.settings.rate

    def judged(self, step: int) -> bool:
        """Whether the critic takes part in a step counted from 0."""
        return self.critic is not None

    @abstractmethod
    def imagine(self, lesson: Lesson) -> Made:
        """The frames of a lesson, with gradients."""

    @abstractmethod
    def loss(self, lesson: Lesson, made: Made, judged: bool) -> Row:
        """Scalars: "loss", which the maker minimises, and the terms that it consists of.

        judged: whether the critic takes part, see `judged`.
        """

    def judge(self, lesson: Lesson, made: Made) -> Row:
        """Scalars: "critic_loss", which the critic minimises, and others to be logged.

        Asked of methods with a critic; nothing of it reaches the maker.
        """
        raise NotImplementedError(f"{type(self).__name__} has no critic")

    @abstractmethod
    def begin(self, still: np.ndarray, landmarks: np.ndarray | None) -> Any:
        """What is worked out once for a still, see `animate`; `carry_on` takes it from there."""

    @abstractmethod
    def carry_on(self, state: Any, heard: Tensor) -> tuple[Tensor, Any]:
        """Frames (1, F, 3, H, W) for what they hear, (1, F, samples), and the next state."""

    @torch.inference_mode()
    def animate(
        self, still: np.ndarray, signal: np.ndarray, landmarks: np.ndarray | None = None
    ) -> np.ndarray:
        """A still uint8 (128, 96, 3) says a signal float32 (S,) at 16 kHz: uint8 (T, 128, 96, 3).

        landmarks: the still's, (68, 2) pixels, for a method that needs some; they are found where
        there are none. Deterministic. Raises TalkerError when the signal is empty.
        """
        self.maker.eval()
        heard = audio_frames(torch.from_numpy(signal).to(self.device), self.audio)[None]
        state, frames = self.begin(still, landmarks), []
        for first in range(0, heard.shape[1], CHUNK):
            made, state = self.carry_on(state, heard[:, first : first + CHUNK])
            frames.append(to_pictures(made[0]))
        return np.concatenate(frames)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.maker.parameters()).device

    def seen(self, still: np.ndarray) -> Tensor:
        """A still uint8 (H, W, 3) as networks take it: (1, 3, H, W) in [-1, 1]."""
        return to_tensor(still).to(self.device)
