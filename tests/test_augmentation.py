"""Another voice says the same thing at the same time."""

import numpy as np
import pytest
import torch

from talker import augmentation
from talker.augmentation import another_voice
from talker.config import AudioConfig

AUDIO = AudioConfig()


def tone(hertz: float, seconds: float = 1.0) -> torch.Tensor:
    return 0.3 * torch.sin(2 * np.pi * hertz * torch.arange(int(seconds * AUDIO.rate)) / AUDIO.rate)


def pitch(audio_frame: torch.Tensor) -> float:
    """The strongest frequency in Hz."""
    spectrum = torch.fft.rfft(audio_frame * torch.hann_window(len(audio_frame))).abs()
    return spectrum.argmax().item() * AUDIO.rate / len(audio_frame)


@pytest.fixture
def clean(monkeypatch):
    """Neither room nor noise."""
    monkeypatch.setattr(augmentation, "ROOM", 0.0)
    monkeypatch.setattr(augmentation, "NOISE_DB", (200, 201))


def test_shapes_and_the_seed_of_it():
    first, again, other = (
        another_voice(tone(200), AUDIO, 25, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == (25, AUDIO.samples) and first.dtype == torch.float32
    assert torch.equal(first, again) and not torch.allclose(first, other, atol=1e-2)


def test_pitch_moves_by_up_to_a_third_of_an_octave_both_ways(clean):
    found = [
        pitch(another_voice(tone(440), AUDIO, 25, np.random.default_rng(seed))[12])
        for seed in range(40)
    ]
    octaves = np.log2(np.array(found) / 440)
    assert -augmentation.OCTAVES - 0.02 < octaves.min() < -0.2
    assert 0.2 < octaves.max() < augmentation.OCTAVES + 0.02


def test_a_click_stays_in_the_middle_of_its_frame(clean):
    signal = torch.zeros(AUDIO.rate)
    middle = 12 * AUDIO.stride + AUDIO.stride // 2
    signal[middle - 8 : middle + 8] = 1.0
    for seed in range(10):
        heard = another_voice(signal, AUDIO, 25, np.random.default_rng(seed))[12]
        centre = (heard * torch.arange(AUDIO.samples)).sum() / heard.sum()
        assert abs(centre - (AUDIO.samples - 1) / 2) < 2  # samples


def test_room_and_noise_change_the_sound_and_keep_its_level(monkeypatch):
    monkeypatch.setattr(augmentation, "OCTAVES", 0.0)
    generator = torch.Generator().manual_seed(0)
    signal = 0.1 * torch.randn(AUDIO.rate, generator=generator)
    plain = signal[10 * AUDIO.stride : 11 * AUDIO.stride]
    levels = []
    for seed in range(20):
        frames = another_voice(signal, AUDIO, 25, np.random.default_rng(seed))
        before = (AUDIO.samples - AUDIO.stride) // 2
        heard = frames[10, before : before + AUDIO.stride]
        assert not torch.allclose(heard, plain, atol=1e-3)
        levels.append((heard.std() / plain.std()).item())
    assert 0.8 < np.median(levels) < 1.6
