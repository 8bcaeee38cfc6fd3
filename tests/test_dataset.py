"""Batches: which frames, which sound, mirrored how; on clips whose every frame says when it is."""

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch

from talker import dataset
from talker.audio import audio_frames
from talker.config import AudioConfig
from talker.dataset import Clips, to_unit
from talker.errors import TalkerError
from talker.media import write_audio
from talker.metrics.landmarks import lip_shape
from talker.store import StoredClip
from talker.video import write_video

LENGTH = 40  # frames
AUDIO = AudioConfig()
LEFT, RIGHT = np.s_[:10, :10], np.s_[:10, -10:]


def opening_mouth(length: int) -> np.ndarray:
    """Landmarks (T, 68, 2) whose lower lip and chin sink by a pixel a frame; nothing else moves."""
    landmarks = np.zeros((length, 68, 2))
    landmarks[:, 36], landmarks[:, 45] = (10, 20), (50, 20)  # 40 pixels between the eyes
    landmarks[:, 33, 1], landmarks[:, 48:68, 1] = 30, 40
    landmarks[:, 54, 0] = 20  # the width
    sinking = [57, 65, 66, 67, 8]
    landmarks[:, sinking, 1] = (50 + np.arange(length))[:, None]
    return landmarks


def write_clip(folder, number: int, length: int = LENGTH, rate: int = 16000) -> StoredClip:
    """Frame t is 40 + 4 t grey below, bright in the top left corner, dark in the top right.

    The sound rises in a straight line from 0, so that the ratio of an audio frame's mean to its
    range says when it is, at any level. Clips differ by the blue of their lowest rows.
    """
    frames = np.empty((length, 64, 64, 3), np.uint8)
    frames[:] = (40 + 4 * np.arange(length))[:, None, None, None]
    frames[:, *LEFT], frames[:, *RIGHT] = 230, 20
    frames[:, -16:] = (60, 60, 60 + 60 * number)
    path = folder / f"p{number:03d}_000.mp4"
    write_video(path, frames, 25, crf=1)
    signal = np.linspace(0, 0.5, rate * length // 25, dtype=np.float32)
    write_audio(path.with_suffix(".wav"), signal, rate)
    truth = {"landmarks": opening_mouth(length).tolist()}
    path.with_suffix(".json").write_text(json.dumps(truth))
    return StoredClip(path.stem, path, path.with_suffix(".wav"), path.stem[:4], "train")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Clips:
    folder = tmp_path_factory.mktemp("clips")
    return Clips([write_clip(folder, number) for number in range(3)], AUDIO)


def grey(images: torch.Tensor) -> torch.Tensor:
    """What frame each of (..., 3, H, W) is, read off its middle rows."""
    level = (images[..., 20:40, :].mean((-3, -2, -1)) + 1) * 127.5
    return (level - 40) / 4


def mirrored(images: torch.Tensor) -> torch.Tensor:
    return images[..., 0, *LEFT].mean((-2, -1)) < images[..., 0, *RIGHT].mean((-2, -1))


def clip_of(images: torch.Tensor) -> torch.Tensor:
    blue = (images[..., 2, -8:, :].mean((-2, -1)) + 1) * 127.5
    return ((blue - 60) / 60).round()


def heard_at(audio_frames: torch.Tensor) -> torch.Tensor:
    """Which frame's middle each (..., 3200) of a sound that rises in a line is centred on."""
    slope = (audio_frames[..., -1] - audio_frames[..., 0]) / (AUDIO.samples - 1)
    return audio_frames.mean(-1) / slope / AUDIO.stride - 0.5


def test_shapes_and_ranges(data):
    batch = data.batch(np.random.default_rng(0), 5, 20, 4)
    assert batch.still.shape == (5, 3, 64, 64) and batch.frames.shape == (5, 4, 3, 64, 64)
    assert batch.audio_frames.shape == (5, 20, 3200) and batch.at.shape == (5, 4)
    assert batch.at.dtype == torch.int64
    for images in (batch.still, batch.frames):
        assert images.dtype == torch.float32
        assert -1 <= images.min() < -0.7 and 0.7 < images.max() <= 1


def test_to_unit_puts_black_at_minus_one_and_colours_first():
    images = np.zeros((2, 5, 4, 3), np.uint8)
    images[1, 2, 3] = (255, 51, 0)
    made = to_unit(images)
    assert made.shape == (2, 3, 5, 4)
    assert made[0].unique().tolist() == [-1]
    assert made[1, :, 2, 3].tolist() == pytest.approx([1, -0.6, -1])


def test_the_same_generator_state_gives_the_same_batch(data):
    one, two, other = (data.batch(np.random.default_rng(s), 6, 20, 4) for s in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one.frames, other.frames)
    assert not torch.equal(one.audio_frames, other.audio_frames)


def test_still_and_frames_are_of_one_clip_and_mirrored_together(data):
    batch = data.batch(np.random.default_rng(1), 40, 20, 3)
    assert torch.equal(mirrored(batch.frames), mirrored(batch.still)[:, None].expand(-1, 3))
    assert 8 < mirrored(batch.still).sum() < 32  # about half
    assert torch.equal(clip_of(batch.frames), clip_of(batch.still)[:, None].expand(-1, 3))
    assert set(clip_of(batch.still).tolist()) == {0, 1, 2}


@pytest.mark.parametrize("decoded", [4, "run", "all"])
def test_each_frame_comes_with_the_sound_it_was_seen_with(data, decoded):
    batch = data.batch(np.random.default_rng(2), 30, 20, decoded, stride=4)
    index = batch.at[..., None].expand(-1, -1, AUDIO.samples)
    at = heard_at(batch.audio_frames.gather(1, index))
    seen = grey(batch.frames)
    whole = (seen > 3) & (seen < LENGTH - 4)  # at the ends the window reaches beyond the sound
    assert whole.float().mean() > 0.5
    assert (at - seen)[whole].abs().max() < 0.3
    starts = (seen - batch.at)[:, 0].round()
    assert set(starts.tolist()) <= set(range(LENGTH - 20 + 1)) and len(set(starts.tolist())) > 10


def test_a_number_of_frames_is_drawn_without_order_and_without_repeats(data):
    batch = data.batch(np.random.default_rng(5), 30, 20, 6)
    assert (batch.at.diff(dim=1) > 0).all()
    assert batch.at.min() == 0 and batch.at.max() == 19
    assert (batch.at.diff(dim=1) > 1).any()
    everything = data.batch(np.random.default_rng(5), 1, 8, 8)
    assert everything.at.tolist() == [list(range(8))]


def test_a_run_is_one_snippet(data):
    batch = data.batch(np.random.default_rng(6), 40, 20, "run")
    assert batch.at.shape == (40, 5) and (batch.at.diff(dim=1) == 1).all()
    assert batch.at.min() == 0 and batch.at.max() == 19
    longer = dataclasses.replace(AUDIO, window=0.28)
    data_of_longer = copy.copy(data)
    data_of_longer.audio = longer
    assert data_of_longer.batch(np.random.default_rng(0), 2, 20, "run").at.shape == (2, 7)


def test_all_takes_every_third_from_any_of_three_starts(data):
    batch = data.batch(np.random.default_rng(7), 30, 20, "all", stride=3)
    assert batch.at.shape == (30, 6) and (batch.at.diff(dim=1) == 3).all()
    assert set(batch.at[:, 0].tolist()) == {0, 1, 2} and batch.at.max() < 20
    assert data.batch(np.random.default_rng(7), 1, 20, "all").at.tolist() == [list(range(20))]


def test_a_window_longer_than_the_clip_is_the_clip(data):
    batch = data.batch(np.random.default_rng(8), 2, 75, "all")
    assert batch.frames.shape[1] == batch.audio_frames.shape[1] == LENGTH


def test_clips_of_different_lengths_make_a_batch_as_long_as_the_shortest(tmp_path):
    mixed = Clips([write_clip(tmp_path, 0, 25), write_clip(tmp_path, 1, 40)], AUDIO)
    lengths = set()
    for seed in range(12):
        batch = mixed.batch(np.random.default_rng(seed), 2, 75, "all")
        shortest = 25 if (clip_of(batch.still) == 0).any() else 40
        assert batch.frames.shape[1] == batch.audio_frames.shape[1] == shortest
        assert batch.lips.shape == (2, shortest, 4)
        # Of the longer clip too it is a window whose sound belongs to its pictures.
        assert (heard_at(batch.audio_frames)[:, 3:-3] - grey(batch.frames)[:, 3:-3]).abs().max() < 1
        lengths.add(shortest)
    assert lengths == {25, 40}
    assert mixed.batch(np.random.default_rng(0), 4, 20, 3).frames.shape[1] == 3


def test_the_still_is_the_first_frame_or_with_other_pictures_nearly_always(data, monkeypatch):
    assert (grey(data.batch(np.random.default_rng(9), 100, 20, 1).still).round() == 0).all()
    monkeypatch.setattr(dataset, "another_picture", lambda images, rng: images)
    monkeypatch.setattr(data, "pictures", True)
    still = grey(data.batch(np.random.default_rng(9), 100, 20, 1).still).round()
    assert 0.8 < (still == 0).float().mean() < 1


def test_the_level_of_the_sound_is_its_own_or_with_other_voices_varies_within_limits(
    data, monkeypatch
):
    def gains() -> torch.Tensor:
        batch = data.batch(np.random.default_rng(10), 60, LENGTH, 1)
        slope = batch.audio_frames[:, 20, -1] - batch.audio_frames[:, 20, 0]
        return 20 * torch.log10(slope / slope.new_tensor(0.5 * 3199 / (LENGTH * 640)))

    assert gains().abs().max() < 0.1
    monkeypatch.setattr(
        dataset, "another_voice", lambda sound, audio, count, rng: audio_frames(sound, audio, count)
    )
    monkeypatch.setattr(data, "voices", True)
    gain = gains()
    assert gain.min() > -9.1 and gain.max() < 6.1 and gain.max() - gain.min() > 10


def test_sound_of_another_rate_is_refused(tmp_path):
    clip = write_clip(tmp_path, 0, length=5, rate=8000)
    with pytest.raises(TalkerError, match="p000_000.wav has 8000 samples .* prepare it at 16000"):
        Clips([clip], AUDIO)


def test_lip_shapes_by_hand():
    shape = lip_shape(opening_mouth(3)) * 40
    assert np.allclose(shape[0], [10, 20, 10, 20], atol=1e-4)  # opening, width, height, jaw
    assert np.allclose(np.diff(shape, axis=0), [[1, 0, 1, 1]] * 2, atol=1e-4)


def test_lips_are_those_of_the_frames_less_those_of_the_still(data):
    batch = data.batch(np.random.default_rng(5), 12, 20, 4)
    assert batch.lips.shape == (12, 20, 4)
    since = grey(batch.frames) - grey(batch.still)[:, None]  # frames between still and frame
    deviation = np.arange(LENGTH).std()
    at_frames = batch.lips.gather(1, batch.at[..., None].expand(-1, -1, 4))
    for sinking in (0, 2, 3):
        assert torch.allclose(at_frames[..., sinking] * deviation, since, atol=0.6)
    assert at_frames[..., 1].abs().max() < 1e-3  # the width stays


@pytest.mark.parametrize("decoded", [4, "run", "all"])
def test_a_batch_does_not_depend_on_what_is_kept_in_memory(tmp_path, decoded):
    clips = [write_clip(tmp_path, number) for number in range(3)]
    one_clip = LENGTH * 64 * 64 * 3
    for step in range(3):
        batches = [
            Clips(clips, AUDIO, memory).batch(np.random.default_rng(step), 6, 20, decoded, stride=3)
            for memory in (0, one_clip, 1e9)
        ]
        for other in batches[1:]:
            assert all(torch.equal(a, b) for a, b in zip(batches[0], other, strict=True))


def test_no_more_than_the_memory_allows_is_kept(tmp_path, monkeypatch):
    from talker import dataset

    asked = []

    def counted(path, numbers=None):
        asked.append(numbers)
        return read(path, numbers)

    read = dataset.read_frames
    monkeypatch.setattr(dataset, "read_frames", counted)
    data = Clips([write_clip(tmp_path, number) for number in range(2)], AUDIO, memory=1)
    for _ in range(3):
        for frames in data.frames:
            assert len(frames) == LENGTH
            assert np.asarray(frames).shape == (LENGTH, 64, 64, 3)
    assert asked.count(None) == 1 and len(asked) == 4  # the first is kept, the second is not


def test_altered_clips_are_heard_otherwise_and_seen_alike(tmp_path):
    clip = write_clip(tmp_path, 0)
    plain, altered = (
        Clips([clip], AUDIO, voices=altered).batch(np.random.default_rng(0), 1, 20, "all")
        for altered in (False, True)
    )
    assert torch.equal(plain.frames, altered.frames) and torch.equal(plain.lips, altered.lips)
    assert plain.audio_frames.shape == altered.audio_frames.shape
    assert not torch.allclose(plain.audio_frames, altered.audio_frames, atol=1e-2)


def test_still_and_frames_are_seen_in_the_same_other_light(tmp_path):
    clip = write_clip(tmp_path, 0)
    plain, altered = (
        Clips([clip], AUDIO, pictures=pictures).batch(np.random.default_rng(3), 1, LENGTH, "all")
        for pictures in (False, True)
    )
    assert torch.equal(plain.lips, altered.lips)
    assert torch.allclose(plain.still[0], plain.frames[0, 0])  # the whole clip, from its first
    centre = np.s_[..., 24:40, 24:40]
    assert not torch.allclose(plain.frames[centre], altered.frames[centre], atol=0.05)
    assert torch.allclose(altered.still[0], altered.frames[0, 0])
