"""Teach the noise generator to move as people do: match its sequences to those read off real clips.

The distance between the two sets of sequences is the energy distance of their windows (Szekely and
Rizzo 2013): zero only where the distributions agree, no adversary, and rare events such as blinks
count by how far they lie from everything else.
"""

from __future__ import annotations

import torch
from torch import Tensor

from talker.models.noise_generator import NoiseGenerator

SCALES = ((5, 1), (12, 1), (12, 3))  # (frames in a window, stride): lids, a whole blink, its pauses


def energy_distance(a: Tensor, b: Tensor) -> Tensor:
    """2 E|a - b| - E|a - a'| - E|b - b'| of samples (N, D) and (M, D), N and M at least 2; scalar.

    Without bias (the means within leave out the zeros of each sample with itself), so that samples
    of one distribution give a number around 0, as often below as above.
    """
    across = torch.cdist(a, b).mean()
    within = [torch.cdist(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
    return 2 * across - within[0] - within[1]


def windows(sequences: Tensor, length: int, stride: int, starts: Tensor) -> Tensor:
    """(B, T, D) -> (B * K, length * D): windows of every `stride`-th frame from K starts."""
    index = starts[:, None] + stride * torch.arange(length, device=sequences.device)
    return sequences[:, index].flatten(2).flatten(0, 1)


def fit(
    noise_generator: NoiseGenerator, sequences: Tensor, steps: int, seed: int, rate: float = 3e-3
) -> list[float]:
    """Fit the noise generator to real z_n sequences.

    Args:
        sequences: (N, T, noise_dim), one row a clip, with T at least 36.
        steps: Adam steps at `rate`, decaying linearly to a tenth.

    Returns:
        The distance after each step.
    """
    draw = torch.Generator().manual_seed(seed)
    scale = sequences.flatten(0, 1).std(0).clamp_min(1e-3)  # so that small movements count as well
    # Between whitened and raw: a blink moves one direction far, and should weigh more than gaze.
    scale = scale.sqrt() * scale.mean().sqrt()
    optimiser = torch.optim.Adam(noise_generator.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, steps)
    history = []
    for _ in range(steps):
        chosen = torch.randint(len(sequences), (64,), generator=draw)
        real = sequences[chosen] / scale
        noise = noise_generator.draw(64, sequences.shape[1], draw)
        made = noise_generator(noise)[0] / scale
        loss = made.new_zeros(())
        for length, stride in SCALES:
            last = sequences.shape[1] - (length - 1) * stride
            starts = torch.randint(last, (10,), generator=draw)
            loss = loss + energy_distance(
                windows(real, length, stride, starts), windows(made, length, stride, starts)
            )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(noise_generator.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        history.append(loss.item())
    return history
