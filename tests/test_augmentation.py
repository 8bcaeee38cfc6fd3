"""Another voice says the same thing at the same time."""

import numpy as np
import pytest
import torch

from talker import augmentation
from talker.augmentation import another_picture, another_voice
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


def picture() -> np.ndarray:
    """Two images (2, 64, 48, 3): a grey square on black, and the same a little lighter."""
    images = np.zeros((2, 64, 48, 3), np.uint8)
    images[0, 20:44, 14:34], images[1, 20:44, 14:34] = 100, 120
    return images


def test_all_images_of_a_clip_get_the_same_light_and_framing():
    for seed in range(20):
        rng, twin = np.random.default_rng(seed), np.random.default_rng(seed)
        both, first = another_picture(picture(), rng), another_picture(picture()[:1], twin)
        assert both.shape == (2, 64, 48, 3) and both.dtype == np.uint8
        np.testing.assert_array_equal(both[0], first[0])
        inside = both[:, 30:34, 22:26].reshape(2, -1, 3)
        assert (np.ptp(inside, axis=1) == 0).all()  # an even square stays even
        assert (inside[1] >= inside[0]).all()  # order of brightness survives


def test_light_and_framing_stay_within_their_bounds():
    levels, moves = [], []
    for seed in range(200):
        seen = another_picture(picture(), np.random.default_rng(seed))[0]
        levels.append(seen[32, 24].astype(float) / 255)
        rows = np.flatnonzero(seen[:, 24].any(axis=1))
        moves.append(rows.mean() - 31.5)
    levels = np.array(levels)
    widest = (100 / 255) ** np.array([2**augmentation.GAMMA, 2**-augmentation.GAMMA])
    assert levels.min() >= widest[0] * 2**-augmentation.CAST - 0.01
    assert levels.max() <= widest[1] * 2**augmentation.CAST + 0.01
    assert levels.min() < 0.25 and levels.max() > 0.55  # and they are used
    # Shifts are in pixels of a frame 96 wide, so half as many here.
    assert 0.5 < np.abs(moves).max() < augmentation.SHIFT / 2 + 1
