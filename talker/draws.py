"""All that is random in one step of training, drawn before anything is computed.

A draw depends on (seed, step, part) alone, where the parts of a step are counted over processes and
their micro-batches. So a run that is resumed sees what it would have seen, and two processes see
together what one process sees that accumulates the gradients of two parts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.config import Config
from talker.dataset import Batch, Clips

SEQUENCE = 75  # frames that the sequence discriminator judges at most: a GRID clip


class Draw(NamedTuple):
    """A batch of B clips, T audio frames and F frames each, and the dice for it.

    jitter (B, F, noise_dim), deviation 1: for the z_n that the noise encoder reads.
    noise (B, T, noise_dim): white noise for the noise generator; None in the warm-up.
    judged (B, K) int64: the frames, of F, that the frame discriminator sees; None in the warm-up.
    away (B,) int64: centres of the audio frames of misaligned pairs; None but for snippets.
    """

    batch: Batch
    jitter: Tensor
    noise: Tensor | None = None
    judged: Tensor | None = None
    away: Tensor | None = None


def gather(sequence: Tensor, at: Tensor) -> Tensor:
    """(B, T, ...), at (B, F) int64 -> (B, F, ...): the chosen time steps of each row."""
    return sequence[torch.arange(len(at), device=at.device)[:, None], at]


def shifted(at: Tensor, length: int, least: int, rng: np.random.Generator) -> Tensor:
    """Centres (B,) of audio frames that are really out of sync with the video's centres `at` (B,).

    Each lies in 0..length-1 and at least `least` frames from its own: drawn again until it does.
    Raises ValueError when the sequence is too short for any.
    """
    moved = []
    for centre in at.tolist():
        allowed = [t for t in range(length) if abs(t - centre) >= least]
        if not allowed:
            raise ValueError(f"{length} frames leave no room for a shift of {least}")
        moved.append(int(rng.choice(allowed)))
    return torch.tensor(moved)


def _dice(config: Config, step: int, part: int) -> tuple[np.random.Generator, torch.Generator]:
    rng = np.random.default_rng([config.train.seed, 4, step, part])
    return rng, torch.Generator().manual_seed(int(rng.integers(2**62)))


def _jitter(config: Config, batch: Batch, dice: torch.Generator) -> Tensor:
    return torch.randn(*batch.at.shape, config.model.noise_dim, generator=dice)


def draw_warm_up(data: Clips, config: Config, step: int, part: int = 0) -> Draw:
    """A part of a step of reconstruction."""
    rng, dice = _dice(config, step, part)
    train = config.train
    batch = data.batch(rng, train.clips, train.frames, train.decoded)
    return Draw(batch, _jitter(config, batch, dice))


def draw_adversarial(data: Clips, config: Config, step: int, part: int = 0) -> Draw:
    """A part of an adversarial step: snippets, or every `sequence_every` steps whole sequences."""
    rng, dice = _dice(config, step, part)
    train = config.train
    whole = step % train.sequence_every == 0
    if whole:
        batch = data.batch(rng, train.sequence_clips, SEQUENCE, "all", train.sequence_stride)
    else:
        batch = data.batch(rng, train.adversarial_clips, train.frames, "run")
    clips, length = batch.audio_frames.shape[:2]
    deviation = config.model.noise_variance**0.5
    noise = torch.randn(clips, length, config.model.noise_dim, generator=dice) * deviation
    jitter = _jitter(config, batch, dice)
    frames = batch.at.shape[1]
    few = torch.from_numpy(rng.choice(frames, size=min(3, frames), replace=False))
    away = None
    if not whole:
        away = shifted(centres(batch), length, config.model.audio.snippet, rng)
    return Draw(batch, jitter, noise, few.expand(clips, -1), away)


def centres(batch: Batch) -> Tensor:
    """The audio frames (B,) of the middle frames of snippets."""
    return batch.at[:, batch.at.shape[1] // 2]
