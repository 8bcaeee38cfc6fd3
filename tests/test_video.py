"""Videos are written and read through real files, decoded again with PyAV."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from small_media import clicks, encode_sound, files_of_at_most, quarters

from talker.errors import TalkerError
from talker.media import read_audio, summarise_audio
from talker.video import VideoWriter, read_video, write_video

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_sound_is_in_sync_to_the_sample(tmp_path, rate):
    """A click at sample k of the source is decoded from the MP4 at sample k, at any rate."""
    places = [rate // 3, rate, int(rate * 1.7)]
    signal = clicks(int(rate * 2.03), places)
    write_video(tmp_path / "a.mp4", [quarters()] * 51, 25, signal, rate)
    again, again_rate = read_audio(tmp_path / "a.mp4")
    assert again_rate == rate
    assert len(again) == len(signal)  # neither priming before nor padding after
    for place in places:
        near = slice(place - rate // 10, place + rate // 10)
        assert np.abs(again[near]).argmax() == rate // 10


def test_pictures_start_with_the_sound(tmp_path):
    write_video(tmp_path / "a.mp4", [quarters()] * 10, 25, clicks(6400, [99]), 16000)
    for kind in ("video", "audio"):
        with av.open(str(tmp_path / "a.mp4")) as container:
            assert next(container.decode(**{kind: 0})).pts == 0
    with av.open(str(tmp_path / "a.mp4")) as container:  # no B-frames: no edit list to start late
        assert next(container.demux(video=0)).dts == 0


def test_sound_from_a_file_keeps_rate_and_channels(tmp_path):
    left = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    encode_sound(tmp_path / "a.wav", np.stack([left, 0 * left]) * 0.5, 44100, "pcm_s16le", "s16")
    with VideoWriter(tmp_path / "a.mp4", 25, (128, 96), audio=tmp_path / "a.wav") as writer:
        for _ in range(25):
            writer.write(quarters())
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate) == ("aac", 44100)
        decoded = np.concatenate([f.to_ndarray() for f in container.decode(stream)], axis=1)
    assert decoded.shape[0] == 2
    assert np.abs(decoded[0]).max() > 0.4 and np.abs(decoded[1]).max() < 0.05
    error = decoded[0, 2000:42000] - 0.5 * left[2000:42000]
    assert np.sqrt(np.mean(error**2)) < 0.01  # AAC, but the same wave at the same place


def test_a_rate_that_aac_lacks_becomes_48_khz(tmp_path):
    write_video(tmp_path / "a.mp4", [quarters()] * 25, 25, clicks(50000, [25000]), 50000)
    signal, rate = read_audio(tmp_path / "a.mp4")
    assert rate == 48000
    assert abs(int(np.abs(signal).argmax()) - 24000) <= 1


def test_surround_sound_is_mixed_to_mono(tmp_path):
    signal = np.zeros((6, 8000), np.float32)
    signal[0] = 0.6
    encode_sound(tmp_path / "a.wav", signal, 16000, "pcm_s16le", "s16")
    with VideoWriter(tmp_path / "a.mp4", 25, (128, 96), audio=tmp_path / "a.wav") as writer:
        writer.write(quarters())
    assert summarise_audio(tmp_path / "a.mp4").channels == 1
    assert read_audio(tmp_path / "a.wav")[0].mean() == pytest.approx(0.1, abs=1e-3)


def test_video_survives_a_round_trip(tmp_path):
    frames = np.stack([quarters(t % 4) for t in range(12)])
    write_video(tmp_path / "a.mp4", frames, 25, comment="made by a test")
    again, fps = read_video(tmp_path / "a.mp4")
    assert fps == 25 and again.shape == frames.shape and again.dtype == np.uint8
    centres = again[:, 32::64, 24::48].astype(int) - frames[:, 32::64, 24::48]
    assert np.abs(centres).max() <= 5  # the colour matrix written is the colour matrix read
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["comment"] == "made by a test"
        assert "creation_time" not in container.metadata
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_the_index_comes_before_the_data(tmp_path):
    write_video(tmp_path / "a.mp4", [quarters()] * 3, 25)
    content = (tmp_path / "a.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_same_input_gives_the_same_bytes(tmp_path):
    noise = np.random.default_rng(0)
    frames = noise.integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
    signal = noise.normal(0, 0.1, 19200).astype(np.float32)
    for name in ("a", "b"):
        write_video(tmp_path / f"{name}.mp4", frames, 25, signal, 16000)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_fractional_frame_rate_is_kept(tmp_path):
    write_video(tmp_path / "a.mp4", [quarters()] * 5, Fraction(30000, 1001))
    assert read_video(tmp_path / "a.mp4")[1] == Fraction(30000, 1001)


def test_a_failed_write_leaves_the_old_file_alone(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"old")

    def frames():
        yield quarters()
        raise RuntimeError("the renderer stopped")

    with pytest.raises(RuntimeError, match="renderer stopped"):
        write_video(tmp_path / "a.mp4", frames(), 25, clicks(16000, [5]), 16000)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"old"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TalkerError, match="cannot be written"):
        write_video(tmp_path / "file" / "a.mp4", [quarters()], 25)
    with pytest.raises(TalkerError, match="even height and width"):
        VideoWriter(tmp_path / "a.mp4", 25, (127, 96))


@pytest.mark.parametrize("share", [0, 0.2, 0.9, 0.99999])
def test_a_full_disk_is_said_and_the_old_file_left_alone(tmp_path, share):
    """At the header, among the frames, or as the file is completed, down to its last byte."""
    frames = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), dtype=np.uint8)
    signal = clicks(25600, [5])
    write_video(tmp_path / "whole.mp4", frames, 25, signal, 16000)
    size = int(share * (tmp_path / "whole.mp4").stat().st_size)
    (tmp_path / "a.mp4").write_bytes(b"old")
    with (
        files_of_at_most(size),
        pytest.raises(TalkerError, match=r"a\.mp4 cannot be written: File too large"),
    ):
        write_video(tmp_path / "a.mp4", frames, 25, signal, 16000)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mp4", "whole.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"old"


def test_a_full_disk_does_not_hide_why_the_frames_ended(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    def frames():
        yield noise
        raise RuntimeError("the renderer stopped")

    with files_of_at_most(0), pytest.raises(RuntimeError, match="renderer stopped"):
        write_video(tmp_path / "a.mp4", frames(), 25)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not GRID.is_dir(), reason="GRID recordings are not here")
def test_a_grid_recording():
    path = sorted((GRID / "speakers").glob("*.mpg"))[0]
    frames, fps = read_video(path)
    assert frames.shape == (75, 288, 360, 3) and fps == 25
    summary = summarise_audio(path)
    assert (summary.rate, summary.channels) == (44100, 2)
    assert summary.seconds == pytest.approx(3.0, abs=0.1)
