"""The same stills, sounds and noise all along a run, and what a generator makes of them."""

from __future__ import annotations

import numpy as np
import torch

from talker.animate import CHUNK, to_pictures
from talker.audio import audio_frames
from talker.config import ModelConfig
from talker.dataset import Clips, to_unit
from talker.models.generator import Generator

FRAMES = 75  # of each clip, or fewer where it is shorter


class FixedClips:
    """Up to `count` clips, spread over those given, and noise that is drawn once from `seed`.

    real: frames uint8 (T, H, W, 3) of each; sounds: float32 (T * stride,) of each.
    """

    def __init__(self, clips: Clips, count: int, model: ModelConfig, seed: int) -> None:
        chosen = np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int)
        self.real = [np.asarray(clips.frames[number])[:FRAMES] for number in chosen]
        self.sounds, self._heard = [], []
        for number, real in zip(chosen, self.real, strict=True):
            signal = torch.from_numpy(np.array(clips.signals[number]))
            self._heard.append(audio_frames(signal, clips.audio, len(real)))
            samples = len(real) * clips.audio.stride
            padded = np.zeros(samples, np.float32)
            padded[: len(signal)] = signal[:samples]
            self.sounds.append(padded)
        dice = torch.Generator().manual_seed(seed)
        self._noise = [
            model.noise_variance**0.5 * torch.randn(len(real), model.noise_dim, generator=dice)
            for real in self.real
        ]

    @torch.no_grad()
    def make(self, generator: Generator, moving: bool) -> list[np.ndarray]:
        """What a generator in eval mode makes of each first frame: uint8 (T, H, W, 3) a clip.

        moving: whether to use the noise; without it z_n is 0, as long as the noise generator has
        not been fitted to anything.
        """
        return [self._make(generator, number, moving) for number in range(len(self.real))]

    def _make(self, generator: Generator, number: int, moving: bool) -> np.ndarray:
        device = next(generator.parameters()).device
        code = generator.encode_still(to_unit(self.real[number][:1]).to(device))
        z_c, _ = generator.content_encoder(self._heard[number][None].to(device))
        z_n, _ = generator.noise_generator(self._noise[number][None].to(device))
        z_n = z_n * moving
        parts = zip(z_c.split(CHUNK, dim=1), z_n.split(CHUNK, dim=1), strict=True)
        return np.concatenate([to_pictures(generator.decode(code, *part)[0]) for part in parts])
