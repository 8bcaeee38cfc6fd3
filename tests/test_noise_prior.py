"""The energy distance, and a noise generator that learns to move like sequences it is shown."""

import dataclasses

import pytest
import torch

from talker.config import ModelConfig
from talker.models.noise_generator import NoiseGenerator
from talker.noise_prior import NoiseCritic, distance, energy_distance, fit, windows


def naive(a: torch.Tensor, b: torch.Tensor) -> float:
    """The definition, pair by pair; a sample is not paired with itself."""
    across = sum((x - y).norm().item() for x in a for y in b) / (len(a) * len(b))
    within = []
    for s in (a, b):
        pairs = [(x - y).norm().item() for i, x in enumerate(s) for j, y in enumerate(s) if i != j]
        within.append(sum(pairs) / len(pairs))
    return 2 * across - within[0] - within[1]


def moving(count: int, time: int, slow: float, seed: int) -> torch.Tensor:
    """(count, time, 2) AR(1) sequences of deviation 0.4: x_t = slow x_(t-1) + innovation."""
    draw = torch.Generator().manual_seed(seed)
    fresh = 0.4 * torch.randn(count, time, 2, generator=draw)
    rows = [fresh[:, 0]]
    for t in range(1, time):
        rows.append(slow * rows[-1] + (1 - slow**2) ** 0.5 * fresh[:, t])
    return torch.stack(rows, 1).tanh()


def test_the_energy_distance_is_its_definition():
    a, b = torch.randn(7, 3), 2 * torch.randn(5, 3) + 1
    assert energy_distance(a, b).item() == pytest.approx(naive(a, b), abs=1e-5)
    assert energy_distance(a, b).item() == pytest.approx(energy_distance(b, a).item(), abs=1e-5)


def test_the_energy_distance_by_hand():
    a, b = torch.tensor([[0.0], [2.0]]), torch.tensor([[10.0], [14.0]])
    # across: mean of 10, 14, 8, 12 = 11; within: 2 and 4.
    assert energy_distance(a, b).item() == pytest.approx(2 * 11 - 2 - 4)


def test_no_distance_between_samples_of_one_distribution():
    draws = [torch.randn(2, 200, 4) for _ in range(30)]
    distances = torch.stack([energy_distance(a, b) for a, b in draws])
    assert abs(distances.mean()) < 0.004  # no bias: as often below zero as above
    assert (distances < 0).any() and (distances > 0).any()


@pytest.mark.parametrize("change", ["mean", "spread", "rare"])
def test_a_distance_where_distributions_differ(change):
    a, b = torch.randn(400, 4), torch.randn(400, 4)
    if change == "mean":
        b = b + 0.5
    elif change == "spread":
        b = 1.5 * b
    else:
        b[:40, 0] += 8  # a blink: one in ten, far away
    assert energy_distance(a, b) > 0.05


def test_the_distance_pulls_its_samples_closer():
    a = torch.randn(60, 2) + 3
    b = torch.randn(60, 2).requires_grad_()
    energy_distance(a, b).backward()
    assert (-b.grad).mean(0).min() > 0  # downhill is towards a


def test_windows_by_hand():
    sequences = torch.arange(20.0).reshape(2, 10, 1) + torch.tensor([0.0, 0.5])  # (2, 10, 2)
    cut = windows(sequences, 3, 2, torch.tensor([0, 5]))
    assert cut.tolist() == [
        [0, 0.5, 2, 2.5, 4, 4.5],
        [5, 5.5, 7, 7.5, 9, 9.5],
        [10, 10.5, 12, 12.5, 14, 14.5],
        [15, 15.5, 17, 17.5, 19, 19.5],
    ]


def pulses(count: int, time: int, seed: int) -> torch.Tensor:
    """(count, time, 2): at rest but for closures of eight frames, a chance of 2 % a frame."""
    draw = torch.Generator().manual_seed(seed)
    begins = (torch.rand(count, 1, time, generator=draw) < 0.02).float()
    shape = torch.tensor([0.5, 0.9, 0.9, 0.9, 0.7, 0.5, 0.3, 0.1]).view(1, 1, -1)
    closed = torch.nn.functional.conv1d(begins, shape.flip(2), padding=7)[:, :, :time]
    wobble = 0.03 * torch.randn(count, 2, time, generator=draw)
    return (torch.cat([closed, -closed / 2], 1) + wobble).clamp(-0.95, 0.95).transpose(1, 2)


def noise_generator(hidden: int = 16) -> NoiseGenerator:
    torch.manual_seed(0)
    return NoiseGenerator(dataclasses.replace(ModelConfig(), noise_dim=2, noise_hidden=hidden))


def made(by: NoiseGenerator, time: int) -> torch.Tensor:
    return by(by.draw(100, time, torch.Generator().manual_seed(9)))[0].detach()


def test_fitting_brings_unseen_sequences_closer():
    generator, unseen = noise_generator(), moving(100, 50, slow=0.9, seed=1)
    before = distance(made(generator, 50), unseen)
    told = fit(generator, moving(100, 50, slow=0.9, seed=0), 80, seed=3, rate=5e-3)
    after = distance(made(generator, 50), unseen)
    assert after < 0.5 * before
    assert told == pytest.approx(after, abs=0.2 * before)


@pytest.mark.slow
def test_fitting_learns_rare_events_and_goes_on_with_them():
    """What no mean or spread of z_n shows: most frames rest, a few are far away, then rest."""
    real, generator = pulses(200, 60, seed=0), noise_generator(hidden=32)
    fit(generator, real, 600, seed=0)

    def rate(sequences: torch.Tensor) -> float:  # of closures, per frame
        closed = sequences[..., 0] > 0.6
        return (closed[:, 1:] & ~closed[:, :-1]).float().mean().item()

    long = made(generator, 400)
    for stretch in (long[:, :60], long[:, 340:]):
        assert 0.4 < rate(stretch) / rate(real) < 2
        assert (stretch[..., 0].abs() < 0.2).float().mean() > 0.6


def test_the_critic_takes_any_length_and_sees_one_frame_of_many():
    torch.manual_seed(0)
    critic = NoiseCritic(10)
    calm = torch.zeros(1, 75, 10)
    blink = calm.clone()
    blink[:, 40:44] = 1
    assert critic(calm).shape == (1,) and critic(calm[:, :36]).shape == (1,)
    strongest = critic.stack(blink.transpose(1, 2)).amax(2)
    assert (strongest - critic.stack(calm.transpose(1, 2)).amax(2)).max() > 0.01


def test_fitting_is_a_function_of_its_seed_and_leaves_others_draws_alone():
    real = moving(20, 45, slow=0.8, seed=0)
    distances = []
    for seed in (1, 1, 2):
        generator = noise_generator()
        torch.manual_seed(5)
        distances.append(fit(generator, real, steps=3, seed=seed))
        drawn = torch.rand(1)
        torch.manual_seed(5)
        assert drawn == torch.rand(1)
    assert distances[0] == distances[1] != distances[2]


def test_windows_longer_than_the_sequences_are_left_out_of_the_distance():
    """29 frames, a clip of LRW: of the three scales the longest does not fit."""
    torch.manual_seed(0)
    short, other = torch.randn(6, 29, 3), torch.randn(6, 29, 3) + 1
    assert distance(other, short) > abs(distance(short.flip(0), short))
