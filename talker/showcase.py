"""What a run's generator makes of the same clips by now, to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talker.animate import enlarge
from talker.config import Config
from talker.dataset import Clips
from talker.fixed_clips import FixedClips
from talker.media import write_image
from talker.models.generator import Generator
from talker.video import write_video

CLIPS, COLUMNS = 3, 9
COMMENT = "Right half: synthetic, made by a neural network in training. Left half: its model."


class Showcase:
    """Three clips, or as many as there are.

    `write` puts `step_NNNNNN.png` and `.mp4` into the folder `out`. The picture has two rows a
    clip: its still and some of its frames, and below what is made of the still at these moments.
    The film shows one clip after the other with its sound, real frames on the left.
    """

    def __init__(self, clips: Clips, out: Path, config: Config) -> None:
        self.out, self._audio = out, clips.audio
        self._clips = FixedClips(clips, CLIPS, config.model, config.train.seed)

    def write(self, generator: Generator, step: int, moving: bool) -> None:
        """Show what a generator in eval mode makes after so many steps; see `FixedClips.make`."""
        pairs = list(zip(self._clips.real, self._clips.make(generator, moving), strict=True))
        stem = self.out / f"step_{step:06d}"
        write_image(stem.with_suffix(".png"), np.concatenate([_rows(*pair) for pair in pairs]))
        films = [np.concatenate(pair, axis=2) for pair in pairs]
        write_video(
            stem.with_suffix(".mp4"),
            (enlarge(frame, 2) for film in films for frame in film),
            self._audio.fps,
            np.concatenate(self._clips.sounds),
            self._audio.rate,
            comment=COMMENT,
        )


def _rows(real: np.ndarray, made: np.ndarray) -> np.ndarray:
    """The still, then real frames above the generated ones of the same moments."""
    at = np.linspace(0, len(real) - 1, COLUMNS + 2).round().astype(int)[1:-1]
    above = np.concatenate([real[0], *real[at]], axis=1)
    below = np.concatenate([np.full_like(real[0], 255), *made[at]], axis=1)
    return np.concatenate([above, below])
