"""Speech2Vid: J. S. Chung, A. Jamaludin, A. Zisserman, "You said that?", BMVC 2017, and "You said
that?: Synthesising talking faces from audio", IJCV 2019.

MFCCs of 0.35 s of sound, 12 coefficients (of 13, without the first) by 35 steps at 100 Hz as in
their paper, and a still give one frame: an audio encoder, an identity encoder, and an image decoder
with skip connections from the latter. The loss is L1 on the whole frame and nothing else.

Where it departs:
- In training it has two helpers of the full model: lips and jaw are read off the embedding of the
  sound, and the mouth counts once more in L1. Without them its lips hardly moved after 3000 steps,
  with sharp faces about them.
- Frames are our 96x128 crops instead of 109x109, so the decoder grows 4x3 to 128x96 in five steps.
- One still instead of up to five, and an identity encoder that is trained along: theirs is VGG-M
  trained to recognise the faces of a large collection, and stays as it is.
- Their convolutions at narrower widths (`width` doubles where theirs does), with strides in the
  identity encoder where VGG-M pools, and group norm instead of batch norm, so that a frame is a
  function of its own sound and still only.
- Skips at the three finest sizes of the decoder; their figure has two, at sizes of their own.
- The separate module that sharpens the finished frames (IJCV) is left out: it is trained on its
  own, and would do the same for any method.
- 35 steps of 25 ms that start every 10 ms span 0.365 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.baselines.baseline import Baseline, Made, Row, Settings, emphasised
from talker.baselines.lessons import Lesson
from talker.baselines.mfcc import COEFFICIENTS, RATE, mfcc, window_seconds
from talker.config import AudioConfig, preset
from talker.draws import gather
from talker.faces import CANONICAL_SIZE
from talker.models.layers import group_norm

LAPTOP = preset("laptop")
STEPS = 35  # of MFCCs
CODE = 256  # dimensions of either embedding
SKIPS = 3  # of the decoder's finest levels


@dataclass(frozen=True)
class Speech2VidSettings(Settings):
    """Widths that two cores can train."""

    rate: float = 1e-3  # at the first; with 2e-4 the same error took half as many steps again
    halved: int = 2000  # steps in which the rate falls by half
    window: int = 12  # the lips of all its frames are read
    width: int = 24  # channels of the first layer of either encoder
    mouth: float = LAPTOP.train.mouth_emphasis
    lips: float = LAPTOP.train.lips_weight / LAPTOP.losses.l1  # beside L1, which weighs 1


def convolution(channels: int, out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution that keeps the size, or divides it by `stride`, a norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2),
        group_norm(out),
        nn.ReLU(),
    )


def growing(channels: int, out: int) -> nn.Sequential:
    """A transposed convolution that doubles the size, a norm and ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1), group_norm(out), nn.ReLU()
    )


class AudioEncoder(nn.Module):
    """Five 3x3 convolutions and two fully connected layers on MFCCs as a one-channel image."""

    def __init__(self, width: int, steps: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(1, width, 3),
            convolution(width, 2 * width, 3),
            nn.MaxPool2d((1, 2)),
            convolution(2 * width, 4 * width, 3),
            convolution(4 * width, 4 * width, 3),
            convolution(4 * width, 8 * width, 3),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * width * (COEFFICIENTS // 2) * (steps // 4), 2 * out),
            nn.ReLU(),
            nn.Linear(2 * out, out),
        )

    def forward(self, heard: Tensor) -> Tensor:
        """Windows of sound (N, samples) -> (N, out)."""
        return self.layers(mfcc(heard).unsqueeze(1))


class FaceEncoder(nn.Module):
    """Five convolutions that halve the picture, as VGG-M's 7, 5, 3, 3, 3, and a linear layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [3, *(width << level for level in range(5))]
        self.levels = nn.ModuleList(
            convolution(before, after, kernel, stride=2)
            for before, after, kernel in zip(channels, channels[1:], (7, 5, 3, 3, 3), strict=False)
        )
        rows, columns = (size // 32 for size in CANONICAL_SIZE)
        self.last = nn.Linear(channels[-1] * rows * columns, CODE)

    def forward(self, still: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, H, W) -> an embedding (B, CODE), and the levels' features, finest first."""
        features = []
        for level in self.levels:
            still = level(still)
            features.append(still)
        return self.last(still.flatten(1)), features


class ImageDecoder(nn.Module):
    """Two embeddings -> pixels, with the still's features beside its own where sizes agree."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rest = tuple(size // 32 for size in CANONICAL_SIZE)
        self.first = nn.Linear(2 * CODE, (width << 4) * self.rest[0] * self.rest[1])
        # From (16 width, 4, 3) to (width, 64, 48); the last SKIPS results meet the still's.
        self.grow = nn.ModuleList()
        channels = width << 4
        for level in range(4):
            self.grow.append(growing(channels, width << (3 - level)))
            channels = (width << (3 - level)) * (2 if level >= 4 - SKIPS else 1)
        self.last = nn.ConvTranspose2d(channels, 3, 4, stride=2, padding=1)

    def forward(self, codes: Tensor, skips: list[Tensor]) -> Tensor:
        """codes (B, F, 2 CODE); skips of the B stills -> frames (B, F, 3, H, W) in [-1, 1]."""
        count = codes.shape[1]
        h = F.relu(self.first(codes.flatten(0, 1))).unflatten(1, (-1, *self.rest))
        for level, grow in enumerate(self.grow):
            h = grow(h)
            if level >= 4 - SKIPS:
                h = torch.cat([h, skips[3 - level].repeat_interleave(count, dim=0)], dim=1)
        return self.last(h).tanh().unflatten(0, (-1, count))


class Speech2VidMaker(nn.Module):
    """The three parts together."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.audio_encoder = AudioEncoder(width, STEPS, CODE)
        self.face_encoder = FaceEncoder(width)
        self.image_decoder = ImageDecoder(width)

    def listen(self, heard: Tensor) -> Tensor:
        """heard (B, F, samples) -> embeddings (B, F, CODE)."""
        return self.audio_encoder(heard.flatten(0, 1)).unflatten(0, heard.shape[:2])

    def paint(self, face: tuple[Tensor, list[Tensor]], sound: Tensor) -> Tensor:
        """sound (B, F, CODE) -> frames (B, F, 3, H, W) in [-1, 1]; face: see `FaceEncoder`."""
        code = face[0].unsqueeze(1).expand(-1, sound.shape[1], -1)
        return self.image_decoder(torch.cat([sound, code], dim=-1), face[1])


class Speech2Vid(Baseline):
    """0.35 s of MFCCs and the still give one frame."""

    Settings = Speech2VidSettings
    audio = AudioConfig(rate=RATE, window=window_seconds(STEPS))

    def __init__(self, settings: Speech2VidSettings) -> None:
        self.settings = settings
        self.maker = Speech2VidMaker(settings.width)
        self.helper = nn.Linear(CODE, 4)  # reads lips and jaw

    def rate(self, step: int) -> float:
        return self.settings.rate * 0.5 ** (step / self.settings.halved)

    def imagine(self, lesson: Lesson) -> Made:
        face, sound = self.maker.face_encoder(lesson.still), self.maker.listen(lesson.heard)
        return Made(self.maker.paint(face, gather(sound, lesson.at)), codes=sound)

    def loss(self, lesson: Lesson, made: Made, judged: bool) -> Row:
        """L1, the mean over all pixels in [-1, 1], and what helps."""
        settings = self.settings
        wrong = (made.frames - lesson.frames).abs()
        painted = emphasised(wrong, settings.mouth)
        lips = F.l1_loss(self.helper(made.codes), lesson.lips)
        loss = painted + settings.lips * lips
        return {"loss": loss, "l1": wrong.mean(), "l1_emphasised": painted, "lips": lips}

    def begin(self, still: np.ndarray, landmarks: np.ndarray | None) -> tuple[Tensor, list[Tensor]]:
        return self.maker.face_encoder(self.seen(still))

    def carry_on(self, state, heard: Tensor) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
        return self.maker.paint(state, self.maker.listen(heard)), state
