"""Audio frames: centred, padded with zeros, one per video frame; and resampling."""

import math

import pytest
import torch

from talker.audio import audio_frames, frame_count, resample
from talker.config import AudioConfig
from talker.errors import TalkerError

SMALL = AudioConfig(rate=1000)  # stride 40, window 200: 80 samples heard on either side


def test_hand_worked_windows():
    signal = torch.arange(1.0, 121.0)  # 3 frames of 40 samples
    frames = audio_frames(signal, SMALL)
    assert frames.shape == (3, 200)
    zeros = torch.zeros
    assert torch.equal(frames[0], torch.cat([zeros(80), signal]))
    assert torch.equal(frames[1], torch.cat([zeros(40), signal, zeros(40)]))
    assert torch.equal(frames[2], torch.cat([signal, zeros(80)]))


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000, 50000])
def test_the_middle_of_a_window_is_the_middle_of_its_video_frame(rate):
    audio = AudioConfig(rate=rate)
    signal = torch.zeros(10 * audio.stride)
    signal[4 * audio.stride + audio.stride // 2] = 1.0
    frames = audio_frames(signal, audio)
    assert frames.shape == (10, audio.samples)
    assert frames[4].argmax().item() == pytest.approx(audio.samples / 2, abs=1)
    # 0.2 s at 25 fps: that click is heard by frames 2 to 6, and by no other.
    assert frames.amax(dim=-1).nonzero().flatten().tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("samples", "expected"), [(1, 1), (59, 1), (60, 2), (80, 2), (99, 2), (100, 3)]
)
def test_the_number_of_frames_is_the_length_rounded(samples, expected):
    assert frame_count(samples, SMALL) == expected
    assert audio_frames(torch.ones(samples), SMALL).shape == (expected, 200)


def test_more_or_fewer_frames_than_the_sound_lasts():
    signal = torch.arange(1.0, 201.0)
    whole = audio_frames(signal, SMALL)
    assert torch.equal(audio_frames(signal, SMALL, frames=2), whole[:2])  # real sound, no zeros
    longer = audio_frames(signal, SMALL, frames=20)
    assert torch.equal(longer[:5], whole)
    assert not longer[8:].any()


def test_batch_and_single_agree():
    signals = torch.randn(2, 3, 16000)
    batch = audio_frames(signals, AudioConfig())
    assert batch.shape == (2, 3, 25, 3200)
    assert torch.equal(batch[1, 2], audio_frames(signals[1, 2], AudioConfig()))


def test_a_long_recording_is_a_view_and_not_five_copies():
    audio = AudioConfig()
    frames = audio_frames(torch.zeros(300 * audio.rate), audio)
    assert frames.shape == (7500, 3200)
    assert frames.untyped_storage().nbytes() < 4 * (300 * audio.rate + 2 * audio.samples)


def test_nothing_to_cut_is_said():
    with pytest.raises(TalkerError, match="empty"):
        audio_frames(torch.zeros(0), SMALL)
    with pytest.raises(TalkerError, match="0 frames"):
        audio_frames(torch.zeros(100), SMALL, frames=0)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_resampling_keeps_a_tone_where_it_was(rate):
    seconds = torch.arange(rate) / rate
    tone = torch.sin(2 * math.pi * 440 * seconds)
    there = resample(tone, rate, 16000)
    assert there.shape == (16000,)
    expected = torch.sin(2 * math.pi * 440 * torch.arange(16000) / 16000)
    assert (there - expected)[200:-200].abs().max() < 0.01


def test_resampling_removes_what_the_new_rate_cannot_hold():
    high = torch.sin(2 * math.pi * 15000 * torch.arange(48000) / 48000)
    assert resample(high, 48000, 16000)[200:-200].abs().max() < 0.02


def test_resampling_to_the_same_rate_and_from_no_rate():
    signal = torch.randn(2, 100)
    assert torch.equal(resample(signal, 16000, 16000), signal)
    with pytest.raises(TalkerError, match="from 0"):
        resample(signal, 0, 16000)
