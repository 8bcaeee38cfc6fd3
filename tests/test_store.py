"""Clips on disk: one function reads rendered and prepared corpora, and windows of their frames."""

import json

import numpy as np
import pytest

from talker.errors import TalkerError
from talker.media import read_audio
from talker.store import (
    KEYFRAMES,
    clips,
    count_frames,
    forget_half_written,
    read_frames,
    read_sound,
    sound_rate,
    write_clip,
)
from talker.video import read_video


@pytest.fixture(scope="module")
def stem(tmp_path_factory):
    """A clip of 60 frames, whose name has a dot, and its sound."""
    draw = np.random.default_rng(0)
    frames = draw.integers(0, 255, (60, 4, 3, 3), np.uint8).repeat(32, 1).repeat(32, 2)
    signal = (0.2 * draw.standard_normal(60 * 640)).astype(np.float32)
    stem = tmp_path_factory.mktemp("corpus") / "s1" / "take.2"
    write_clip(stem, frames, signal, {"speaker": "s1", "split": "test"})
    return stem


def test_a_clip_is_three_files_that_people_can_open(stem):
    assert sorted(path.name for path in stem.parent.iterdir()) == [
        "take.2.json",
        "take.2.mp4",
        "take.2.wav",
    ]
    video = stem.with_name("take.2.mp4")
    assert read_video(video)[0].shape == (60, 128, 96, 3) and count_frames(video) == 60
    assert len(read_audio(video)[0]) == 60 * 640


def test_sound_is_read_as_the_decoder_reads_it(stem):
    path = stem.with_name("take.2.wav")
    assert np.array_equal(read_sound(path), read_audio(path)[0])
    assert read_sound(path).dtype == np.float32 and sound_rate(path) == 16000


@pytest.mark.parametrize(
    "numbers", [[0], [59], [30, 31, 32], [0, 13, 50], [50, 3, 3], list(range(60)), [11, 12, 25]]
)
def test_any_frames_are_those_of_the_whole_video(stem, numbers):
    path = stem.with_name("take.2.mp4")
    assert np.array_equal(read_frames(path, numbers), read_video(path)[0][numbers])


def test_all_frames_where_none_are_named(stem):
    path = stem.with_name("take.2.mp4")
    assert np.array_equal(read_frames(path), read_video(path)[0])


def test_a_window_is_read_from_the_key_frame_before_it(stem, monkeypatch):
    from talker import store

    seen = []

    def counted(container, stream):
        for frame in decode(container, stream):
            seen.append(round(frame.pts * stream.time_base * 25))
            yield frame

    decode = store.decoded
    monkeypatch.setattr(store, "decoded", counted)
    read_frames(stem.with_name("take.2.mp4"), [0, 40, 42])
    assert seen[0] == 0 and min(seen[1:]) > 40 - KEYFRAMES and max(seen) == 42


def test_a_frame_that_is_not_there_is_named(stem):
    with pytest.raises(TalkerError, match="take.2.mp4 has no frame 60"):
        read_frames(stem.with_name("take.2.mp4"), [3, 60])
    with pytest.raises(TalkerError, match="take.2.mp4 is no WAV file"):
        sound_rate(stem.with_name("take.2.mp4"))


def test_landmarks_do_not_hide_what_is_said_after_them(tmp_path):
    truth = {"landmarks": [[[1, 2]]], "speaker": "s9", "split": "validation"}
    frames, sound = np.zeros((2, 32, 32, 3), np.uint8), np.zeros(1280, np.float32)
    write_clip(tmp_path / "s9" / "a", frames, sound, truth)
    (tmp_path / "corpus.json").write_text("{}")
    (clip,) = clips(tmp_path)
    assert (clip.speaker, clip.split, clip.truth) == ("s9", "validation", truth)


def test_clips_of_any_corpus(tmp_path):
    for name, truth in {
        "s2/b": {"speaker": "s2", "split": "test"},
        "s1/a": {"speaker": "s1", "split": "train"},
        "ABOUT/train/c": {"speaker": "ABOUT", "split": "train"},
        "p022/p022_000": {"speaker": "p022", "split": "test"},
        "p003/p003_000": {"speaker": "p003", "split": "train"},
    }.items():
        path = tmp_path / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(truth))
    (tmp_path / "s1" / "d.rejected").write_text("no face\n")
    (tmp_path / "s1" / ".e.123.part.json").write_text('{"half')
    with pytest.raises(TalkerError, match="holds no corpus: make one with 'talker render --out"):
        clips(tmp_path)
    (tmp_path / "corpus.json").write_text("{}")
    (tmp_path / "report.json").write_text("{}")
    found = clips(tmp_path)
    assert [clip.name for clip in found] == [
        "ABOUT/train/c",
        "p003/p003_000",
        "p022/p022_000",
        "s1/a",
        "s2/b",
    ]
    assert [clip.split for clip in found] == ["train", "train", "test", "train", "test"]
    assert [clip.speaker for clip in found] == ["ABOUT", "p003", "p022", "s1", "s2"]
    assert found[3].video == tmp_path / "s1" / "a.mp4" and found[3].audio.suffix == ".wav"
    assert found[3].truth == {"speaker": "s1", "split": "train"}
    assert [clip.name for clip in clips(tmp_path, "test")] == ["p022/p022_000", "s2/b"]
    with pytest.raises(TalkerError, match="no clip of the split validation"):
        clips(tmp_path, "validation")


def test_what_was_half_written_is_forgotten(stem, tmp_path):
    (tmp_path / "s1").mkdir()
    for name in (".a.123.part.mp4", ".a.123.part.json", "a.json"):
        (tmp_path / "s1" / name).write_text("")
    forget_half_written(tmp_path)
    assert [path.name for path in (tmp_path / "s1").iterdir()] == ["a.json"]
