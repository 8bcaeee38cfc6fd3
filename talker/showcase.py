"""The same stills, sentences and noise all along a run: what its generator makes of them by now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from talker.animate import CHUNK, enlarge, to_pictures
from talker.audio import audio_frames
from talker.dataset import Clips, to_unit
from talker.media import write_image, write_video
from talker.models.generator import Generator

CLIPS, FRAMES, COLUMNS = 3, 75, 9
COMMENT = "Right half: synthetic, made by a neural network in training. Left half: its model."


class Showcase:
    """Up to three clips, spread over those given, and noise that is drawn once from `seed`.

    `write` puts `step_NNNNNN.png` and `.mp4` into the folder `out`. The picture has two rows a
    clip: its still and some of its frames, and below what is made of the still at these moments.
    The film shows one clip after the other with its sound, real frames on the left.
    """

    def __init__(
        self, clips: Clips, out: Path, noise_dim: int, deviation: float, seed: int
    ) -> None:
        self.out, self.fps, self.rate = out, clips.audio.fps, clips.audio.rate
        chosen = np.linspace(0, len(clips) - 1, min(CLIPS, len(clips))).round().astype(int)
        self._real = [np.asarray(clips.frames[number])[:FRAMES] for number in chosen]
        self._sounds, self._heard = [], []
        for number, real in zip(chosen, self._real, strict=True):
            signal = torch.from_numpy(np.array(clips.signals[number]))
            self._heard.append(audio_frames(signal, clips.audio, len(real)))
            samples = len(real) * clips.audio.stride
            padded = np.zeros(samples, np.float32)
            padded[: len(signal)] = signal[:samples]
            self._sounds.append(padded)
        dice = torch.Generator().manual_seed(seed)
        self._noise = [
            deviation * torch.randn(len(real), noise_dim, generator=dice) for real in self._real
        ]

    @torch.no_grad()
    def _make(self, generator: Generator, number: int, moving: bool) -> np.ndarray:
        """Frames (T, H, W, 3) uint8 of one clip."""
        device = next(generator.parameters()).device
        code = generator.encode_still(to_unit(self._real[number][:1]).to(device))
        z_c, _ = generator.content_encoder(self._heard[number][None].to(device))
        z_n, _ = generator.noise_generator(self._noise[number][None].to(device))
        z_n = z_n * moving
        parts = zip(z_c.split(CHUNK, dim=1), z_n.split(CHUNK, dim=1), strict=True)
        return np.concatenate([to_pictures(generator.decode(code, *part)[0]) for part in parts])

    def write(self, generator: Generator, step: int, moving: bool) -> None:
        """Show what a generator in eval mode makes after so many steps.

        moving: whether to use the noise; without it z_n is 0, as long as the noise generator has
        not been fitted to anything.
        """
        made = [self._make(generator, number, moving) for number in range(len(self._real))]
        pairs = list(zip(self._real, made, strict=True))
        stem = self.out / f"step_{step:06d}"
        write_image(stem.with_suffix(".png"), np.concatenate([_rows(*pair) for pair in pairs]))
        films = [np.concatenate(pair, axis=2) for pair in pairs]
        write_video(
            stem.with_suffix(".mp4"),
            (enlarge(frame, 2) for film in films for frame in film),
            self.fps,
            np.concatenate(self._sounds),
            self.rate,
            comment=COMMENT,
        )


def _rows(real: np.ndarray, made: np.ndarray) -> np.ndarray:
    """The still, then real frames above the generated ones of the same moments."""
    at = np.linspace(0, len(real) - 1, COLUMNS + 2).round().astype(int)[1:-1]
    above = np.concatenate([real[0], *real[at]], axis=1)
    below = np.concatenate([np.full_like(real[0], 255), *made[at]], axis=1)
    return np.concatenate([above, below])
