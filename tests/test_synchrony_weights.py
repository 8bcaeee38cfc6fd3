"""The packaged synchrony evaluator, on a performer whom it never saw and through real files."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from talker.audio import resample
from talker.checkpoint import SHIPPED, read_description
from talker.corpora.rendered import render_clip, split_of
from talker.demo import ASSETS
from talker.errors import TalkerError
from talker.experiments import synchrony as experiment
from talker.experiments.synchrony import asked_of, auc, auc_interval, moved, others
from talker.media import read_audio
from talker.metrics.files import read_pair
from talker.metrics.pair import Footage, Pair
from talker.metrics.synchrony import av_confidence, av_offset
from talker.video import write_video

PERFORMER = 22


@pytest.fixture(scope="module")
def clip() -> tuple[np.ndarray, np.ndarray]:
    """Frames (75, 128, 96, 3) and sound (48000,) of a performer kept for the test."""
    assert split_of(PERFORMER) == "test"
    return render_clip(PERFORMER, 0)[:2]


def asked(frames: np.ndarray, signal: np.ndarray | None) -> tuple[float, float]:
    pair = Pair(Footage(frames, signal), Footage(frames))
    return av_offset(pair), av_confidence(pair)


def test_the_file_is_small_and_says_how_it_was_made():
    assert (SHIPPED / "synchrony.safetensors").stat().st_size < 5e6
    extra = read_description(SHIPPED / "synchrony.json")["extra"]
    assert extra["step"] == extra["steps"] and extra["speakers"] >= 40


def test_a_clip_in_step(clip):
    offset, confidence = asked(*clip)
    assert offset == 0 and confidence > 0.8


@pytest.mark.parametrize("lead", [-7, 4])
def test_shifted_files_move_the_offset_one_for_one(clip, tmp_path, lead):
    """Sound that comes later by -lead frames is written and read by PyAV, as AAC in an MP4."""
    frames, signal = clip
    write_video(tmp_path / "moved.mp4", frames, 25, moved(signal, lead), 16000)
    pair, _ = read_pair(tmp_path / "moved.mp4", tmp_path / "moved.mp4")
    assert abs(av_offset(pair) - lead) <= 1
    assert av_confidence(pair) > 0.5


def test_moved_sound_is_heard_sooner_or_later():
    signal = np.arange(1, 3201, dtype=np.float32)
    assert moved(signal, 2)[:3].tolist() == [1281, 1282, 1283]
    assert moved(signal, 2)[-1280:].tolist() == [0] * 1280
    assert moved(signal, -1)[:640].tolist() == [0] * 640 and moved(signal, -1)[640] == 1
    assert len(moved(signal, 3)) == len(moved(signal, -3)) == 3200
    assert moved(signal, 0).tolist() == signal.tolist()


def test_anothers_words_are_uncorrelated(clip):
    frames, signal = clip
    other, rate = read_audio(ASSETS / "sentence.wav")
    other = resample(torch.from_numpy(other), rate, 16000).numpy()
    other = np.resize(other, len(signal))
    assert asked(frames, other)[1] < 0.5


def test_shuffled_sound_and_a_frozen_mouth_have_no_confidence(clip):
    frames, signal = clip
    pieces = np.random.default_rng(0).permutation(signal.reshape(15, -1))
    assert asked(frames, pieces.ravel())[1] < 0.5
    frozen = np.repeat(frames[:1], len(frames), axis=0)
    offset, confidence = asked(frozen, signal)
    assert np.isnan(offset) and confidence == 0


def test_a_mirror_changes_little(clip):
    frames, signal = clip
    offset, confidence = asked(frames[:, :, ::-1], signal)
    assert offset == 0 and confidence == pytest.approx(asked(*clip)[1], rel=0.15)


def test_silence_no_sound_and_short_clips_are_not_a_number(clip):
    frames, signal = clip
    for shown, sound in (
        (frames, None),
        (frames, np.zeros_like(signal)),
        (frames[:33], signal[: 33 * 640]),
        (frames[:1], signal[:640]),
    ):
        assert np.isnan(asked(shown, sound)).all()
    assert np.isfinite(asked(frames[:34], signal[: 34 * 640])).all()


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 10, 11, 40])
def test_others_are_different_and_never_the_clip_itself(count):
    pairs = others(count)
    assert all(a != b for a, b in pairs)
    assert len(set(pairs)) == len(pairs) == count * min(3, count - 1)
    assert [a for a, _ in pairs] == sorted(a for a, _ in pairs)
    if count == 40:  # as it always was where these differ
        assert [b for _, b in pairs[:3]] == [1, 5, 11]


def test_clips_without_an_offset_are_left_out_and_counted(monkeypatch):
    monkeypatch.setattr(experiment, "Asked", lambda network, clip: SimpleNamespace(offset=clip))
    kept, left_out = asked_of(None, [1.0, float("nan"), 0.0], "noise")
    assert [each.offset for each in kept] == [1, 0] and left_out == 1
    with pytest.raises(TalkerError, match="only 1 of 2 clips"):
        asked_of(None, [1.0, float("nan")], "noise")


def test_auc_by_hand():
    assert auc(np.array([3.0, 1.0]), np.array([2.0, 1.0])) == (1 + 1 + 0 + 0.5) / 4
    found = auc_interval(np.array([3.0, 4.0, 5.0]), np.array([[1.0, 2.0]] * 3))
    assert found == {"value": 1, "low": 1, "high": 1}
