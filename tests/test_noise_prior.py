"""The energy distance, and a noise generator that learns to move like sequences it is shown."""

import dataclasses

import pytest
import torch

from talker.config import ModelConfig
from talker.models.noise_generator import NoiseGenerator
from talker.noise_prior import SCALES, energy_distance, fit, windows


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


def remembering(sequences: torch.Tensor, lag: int) -> float:
    """Autocorrelation at a lag, over all sequences."""
    centred = sequences - sequences.mean((0, 1))
    return float((centred[:, lag:] * centred[:, :-lag]).mean() / centred.square().mean())


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


def fitted(steps: int, rate: float) -> tuple[list[float], torch.Tensor, torch.Tensor]:
    """History, and what one noise generator makes of the same white noise before and after."""
    torch.manual_seed(0)
    noise_generator = NoiseGenerator(dataclasses.replace(ModelConfig(), noise_dim=2))
    white = noise_generator.draw(80, 40, torch.Generator().manual_seed(9))
    before = noise_generator(white)[0].detach()
    history = fit(noise_generator, moving(80, 40, slow=0.9, seed=0), steps, seed=3, rate=rate)
    return history, before, noise_generator(white)[0].detach()


def test_fitting_brings_unseen_sequences_closer():
    history, before, after = fitted(steps=40, rate=2e-2)
    assert len(history) == 40 and sum(history[-5:]) < 0.3 * sum(history[:5])
    unseen, starts = moving(80, 40, slow=0.9, seed=1), torch.arange(7)
    for length, stride in SCALES:
        goal = windows(unseen, length, stride, starts)
        made = [windows(s, length, stride, starts) for s in (before, after)]
        distances = [energy_distance(sequences, goal) for sequences in made]
        assert distances[1] < 0.4 * distances[0]
    assert abs(after.std() - unseen.std()) < 0.3 * abs(before.std() - unseen.std())


@pytest.mark.slow
def test_fitting_learns_to_remember():
    _, before, after = fitted(steps=400, rate=1e-2)
    assert remembering(after, 3) > 2 * remembering(before, 3)


def test_fitting_is_a_function_of_its_seed():
    config = dataclasses.replace(ModelConfig(), noise_dim=2)
    real = moving(20, 36, slow=0.8, seed=0)
    histories = []
    for seed in (1, 1, 2):
        torch.manual_seed(0)
        histories.append(fit(NoiseGenerator(config), real, steps=3, seed=seed))
    assert histories[0] == histories[1] != histories[2]
