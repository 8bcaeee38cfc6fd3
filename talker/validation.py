"""How far a generator has come, on performers that it does not train on: lower L1 and synchrony.

Synchrony is what the evaluator network `talker.evaluators.synchrony` makes of it: trained on its
own, on real videos only, so that a generator cannot please it by learning its weaknesses, as it
learns those of its discriminators. The paper ends training by such a network too (section 3.3).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talker.config import Config
from talker.dataset import Clips, to_unit
from talker.errors import TalkerError
from talker.evaluators.synchrony import SNIPPET, find_synchrony
from talker.fixed_clips import FixedClips
from talker.losses import reconstruction_loss
from talker.models.generator import Generator

CLIPS = 8


def synchrony(seen: Tensor, heard: Tensor) -> float:
    """How well one can tell from a mouth which sound is its own: 1 always, 0.5 by chance only.

    The share of all pairs (snippet, another sound of the clip) in which the mouth is nearer to its
    own sound; equal distances count half. Other sounds are those that share nothing with its own,
    at least `SNIPPET` frames away. seen, heard: embeddings (N, D) of a clip; NaN if it has none.
    """
    apart = torch.cdist(seen, heard, compute_mode="donot_use_mm_for_euclid_dist")
    own = apart.diagonal()[:, None]
    at = torch.arange(len(apart))
    others = (at[:, None] - at).abs() >= SNIPPET
    nearer = (own < apart).float() + (own == apart).float() / 2
    return nearer[others].mean().item()


class Validation:
    """Some clips and noise, drawn once: the same at every measurement and in every run of a seed.

    Raises TalkerError when the clips are so short that no sound of theirs is another's.
    """

    def __init__(self, clips: Clips, config: Config) -> None:
        self._clips = FixedClips(clips, CLIPS, config.model, config.train.seed)
        self._evaluator = find_synchrony()
        self._real = self._synchrony(self._clips.real)
        if np.isnan(self._real):
            raise TalkerError(
                f"the clips for validation have fewer than {3 * SNIPPET - 1} frames, too few to "
                "tell whether sound and mouth agree: prepare longer ones"
            )

    def _synchrony(self, films: list[np.ndarray]) -> float:
        values = [
            synchrony(*self._evaluator.embed(frames, sound))
            for frames, sound in zip(films, self._clips.sounds, strict=True)
            if len(frames) >= 3 * SNIPPET - 1
        ]
        return float(np.mean(values)) if values else float("nan")

    def measure(self, generator: Generator, moving: bool) -> dict[str, float]:
        """Means over the clips, of a generator in eval mode.

        validation_l1: Eq. 6. validation_sync: `synchrony` of what it makes.
        validation_sync_real: that of the real clips, what the evaluator can tell at best.
        moving: as in `FixedClips.make`.
        """
        films = self._clips.make(generator, moving)
        l1 = [
            reconstruction_loss(to_unit(real)[None], to_unit(made)[None]).item()
            for real, made in zip(self._clips.real, films, strict=True)
        ]
        return {
            "validation_l1": float(np.mean(l1)),
            "validation_sync": self._synchrony(films),
            "validation_sync_real": self._real,
        }
