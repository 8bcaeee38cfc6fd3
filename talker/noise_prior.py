"""Teach the noise generator to move as people do: match its sequences to those read off real clips.

A small adversary looks at z_n alone, ten numbers a frame, so that it sees thousands of whole clips
in the time in which the sequence discriminator sees a few: what a blink is and how often it comes
is learnt here, what it looks like is learnt by the decoder.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from talker import losses
from talker.models.noise_generator import NoiseGenerator

SCALES = ((5, 1), (12, 1), (12, 3))  # (frames in a window, stride): lids, a whole blink, its pauses
ENOUGH = 45  # frames of which, less the first fifth, hold the longest of these windows
BATCH = 48
R1 = 0.5  # weight of the penalty on the critic's slope at real sequences (Mescheder et al. 2018)
R1_EVERY = 4  # steps: as lazy as in StyleGAN2 (Karras et al. 2020)
AVERAGE = 0.01  # share of the newest weights in the running average that is kept


class NoiseCritic(nn.Module):
    """Is this how a face moves? Convolutions over time, then the mean and the strongest answer.

    The strongest, because a blink is a few frames of seventy-five.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, stride in ((dim, 48, 1), (48, 64, 2), (64, 96, 2)):
            layers += [nn.Conv1d(before, after, 5, stride, padding=2), nn.LeakyReLU(0.2)]
        self.stack = nn.Sequential(*layers)
        self.last = nn.Linear(2 * 96, 1)

    def forward(self, sequences: Tensor) -> Tensor:
        """z_n (B, T, noise_dim) of any T -> logits (B,)."""
        seen = self.stack(sequences.transpose(1, 2))
        return self.last(torch.cat([seen.mean(2), seen.amax(2)], dim=1))[:, 0]


def fit(
    noise_generator: NoiseGenerator, sequences: Tensor, steps: int, seed: int, rate: float = 1e-3
) -> float:
    """Fit the noise generator to real z_n sequences, in place.

    A clip starts as its still, at z_n = 0 exactly, which noise cannot do: the critic would look at
    nothing else. So the first fifth of each clip is left out, and sequences are judged after any
    number of frames, so that hours go on as seconds began.

    Args:
        sequences: (N, T, noise_dim), one row a clip; with T less than `ENOUGH` a blink and the
            pauses about it are not seen together.
        steps: of Adam at `rate`, of the critic and the noise generator in turn.

    Returns:
        The `distance` of new sequences from the real ones.
    """
    draw = torch.Generator().manual_seed(seed)
    start = sequences.shape[1] // 5
    sequences = sequences[:, start:]
    length = sequences.shape[1]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        critic = NoiseCritic(sequences.shape[2])
    average = copy.deepcopy(noise_generator)
    optimisers = [
        torch.optim.Adam(module.parameters(), rate, betas=(0.0, 0.99))
        for module in (critic, noise_generator)
    ]
    for step in range(steps):
        chosen = torch.randint(len(sequences), (BATCH,), generator=draw)
        real = sequences[chosen].requires_grad_()
        first = int(torch.randint(start, 2 * length, (1,), generator=draw))
        made = _made(noise_generator, first, length, draw)
        on_real = critic(real)
        loss = losses.sequence_discriminator_loss(on_real, critic(made.detach()))
        if step % R1_EVERY == 0:
            slope = torch.autograd.grad(on_real.sum(), real, create_graph=True)[0]
            loss = loss + R1_EVERY * R1 / 2 * slope.square().sum((1, 2)).mean()
        _descend(optimisers[0], loss)
        made = _made(noise_generator, first, length, draw)
        _descend(optimisers[1], losses.sequence_generator_loss(critic(made)))
        with torch.no_grad():
            for kept, new in zip(average.parameters(), noise_generator.parameters(), strict=True):
                kept.lerp_(new, AVERAGE)
    noise_generator.load_state_dict(average.state_dict())
    with torch.no_grad():
        return distance(_made(noise_generator, start, length, draw, 200), sequences)


def _made(
    noise_generator: NoiseGenerator, first: int, length: int, draw: torch.Generator, count=BATCH
) -> Tensor:
    """z_n (count, length, noise_dim) from the `first`-th frame on, which gradients do not pass."""
    white = noise_generator.draw(count, first + length, draw)
    with torch.no_grad():
        _, state = noise_generator(white[:, :first])
    return noise_generator(white[:, first:], state)[0]


def _descend(optimiser: torch.optim.Adam, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
    optimiser.step()


def energy_distance(a: Tensor, b: Tensor) -> Tensor:
    """2 E|a - b| - E|a - a'| - E|b - b'| of samples (N, D) and (M, D), N and M at least 2; scalar.

    Szekely and Rizzo 2013. Without bias (the means within leave out the zeros of each sample with
    itself), so samples of one distribution give a number around 0, as often below as above.
    """
    across = torch.cdist(a, b).mean()
    within = [torch.cdist(x, x).sum() / (len(x) * (len(x) - 1)) for x in (a, b)]
    return 2 * across - within[0] - within[1]


def windows(sequences: Tensor, length: int, stride: int, starts: Tensor) -> Tensor:
    """(B, T, D) -> (B * K, length * D): windows of every `stride`-th frame from K starts."""
    index = starts[:, None] + stride * torch.arange(length, device=sequences.device)
    return sequences[:, index].flatten(2).flatten(0, 1)


def distance(made: Tensor, real: Tensor) -> float:
    """Sum over `SCALES` of the energy distance between windows of (N, T, D) and (M, T, D).

    What the fit is judged by; the critic does not know of it. Windows that are longer than the
    sequences are left out.
    """
    total = 0.0
    for length, stride in SCALES:
        last = real.shape[1] - (length - 1) * stride
        if last < 1:
            continue
        starts = torch.arange(0, last, max(1, last // 4))
        a, b = (windows(x, length, stride, starts) for x in (made, real))
        total += energy_distance(a, b).item()
    return total
