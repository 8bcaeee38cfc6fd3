"""Media are read and written through real files, decoded again with PyAV."""

import os
import resource
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from talker.errors import TalkerError
from talker.footage import sound_at
from talker.media import (
    VideoWriter,
    audio_blocks,
    read_audio,
    read_image,
    read_video,
    summarise_audio,
    write_audio,
    write_image,
    write_video,
)

GRID = Path(os.environ.get("TALKER_GRID", Path(__file__).parents[2] / "shared" / "grid"))
COLOURS = np.array([(220, 30, 40), (20, 200, 60), (30, 60, 230), (200, 150, 120)], np.uint8)


def quarters(offset: int = 0) -> np.ndarray:
    """A 128x96 picture of four flat colours, rotated by `offset` places."""
    frame = np.zeros((128, 96, 3), np.uint8)
    for place in range(4):
        row, column = divmod(place, 2)
        colour = COLOURS[(place + offset) % 4]
        frame[row * 64 : row * 64 + 64, column * 48 : column * 48 + 48] = colour
    return frame


def clicks(samples: int, places: list[int]) -> np.ndarray:
    signal = np.zeros(samples, np.float32)
    signal[places] = 0.9
    return signal


def encode_sound(path, signal: np.ndarray, rate: int, codec: str, sample_format: str) -> None:
    """A sound file of any kind, by PyAV alone: signal is (C, S) in [-1, 1]."""
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1", 24: "22.2"}[len(signal)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.format = sample_format
        packed = signal.T.astype(np.float32).reshape(1, -1)  # PyAV has no frame of 8 or more planes
        frame = av.AudioFrame.from_ndarray(packed, format="flt", layout=layout)
        frame.sample_rate = rate
        size = stream.codec_context.frame_size
        fitting = av.AudioResampler(format=sample_format, frame_size=size)
        for part in [*fitting.resample(frame), *fitting.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


# ---- images


def test_an_image_survives_a_round_trip(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    write_image(tmp_path / "new" / "a.png", picture)
    assert np.array_equal(read_image(tmp_path / "new" / "a.png"), picture)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]


def test_exif_orientation_turns_the_image_upright(tmp_path):
    upright = np.zeros((40, 20, 3), np.uint8)
    upright[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: turn 90 degrees clockwise to view
    Image.fromarray(np.rot90(upright)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), upright)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 77), (77, 77, 77)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), (255, 0, 0)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (128, 128, 128)),
        (Image.new("LA", (4, 4), (9, 255)), (9, 9, 9)),
        (Image.fromarray(np.full((4, 4), 257 * 50, np.uint16)), (50, 50, 50)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("RGB", (4, 4), (10, 200, 30)).quantize(4), (10, 200, 30)),
    ],
    ids=["grey", "rgba", "transparent", "grey-alpha", "16-bit", "1-bit", "palette"],
)
def test_every_kind_of_pixel_becomes_rgb(tmp_path, image, expected):
    image.save(tmp_path / "a.png")
    pixels = read_image(tmp_path / "a.png")
    assert pixels.shape == (4, 4, 3) and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_an_unreadable_image_is_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(TalkerError, match=r"bad\.png.*PNG or JPEG"):
        read_image(tmp_path / "bad.png")
    with pytest.raises(TalkerError, match="no image .*gone.png"):
        read_image(tmp_path / "gone.png")


# ---- sound


def test_a_wav_survives_a_round_trip(tmp_path):
    signal = np.random.default_rng(0).uniform(-1, 1, 5001).astype(np.float32)
    write_audio(tmp_path / "a.wav", signal, 22050)
    again, rate = read_audio(tmp_path / "a.wav")
    assert rate == 22050 and again.dtype == np.float32 and again.shape == signal.shape
    assert np.abs(again - signal).max() <= 0.51 / 32768


@pytest.mark.parametrize(
    ("suffix", "codec", "sample_format"),
    [
        ("wav", "pcm_s16le", "s16"),
        ("wav", "pcm_s24le", "s32"),
        ("wav", "pcm_f32le", "flt"),
        ("wav", "pcm_u8", "u8"),
        ("flac", "flac", "s16"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_of_any_format_is_the_mean_of_its_channels(
    tmp_path, suffix, codec, sample_format, channels
):
    signal = np.random.default_rng(0).uniform(-0.8, 0.8, (channels, 3000)).astype(np.float32)
    encode_sound(tmp_path / f"a.{suffix}", signal, 44100, codec, sample_format)
    again, rate = read_audio(tmp_path / f"a.{suffix}")
    assert rate == 44100
    assert again.shape == (3000,)  # stereo does not double the length
    assert np.abs(again - signal.mean(axis=0)).max() < (0.01 if sample_format == "u8" else 1e-4)


@pytest.mark.parametrize(
    ("name", "codec", "sample_format", "channels"),
    [
        ("a.wav", "pcm_s16le", "s16", 8),
        ("a.wav", "pcm_s16le", "s16", 24),
        ("a.wav", "pcm_f32le", "flt", 8),
        ("a.flac", "flac", "s16", 6),
        ("a.flac", "flac", "s16", 8),
    ],
)
def test_sound_of_many_channels(tmp_path, name, codec, sample_format, channels):
    """Eight planes are more than PyAV can list: reading them once ended the process."""
    signal = np.random.default_rng(0).uniform(-0.8, 0.8, (channels, 3000)).astype(np.float32)
    encode_sound(tmp_path / name, signal, 16000, codec, sample_format)
    again, rate = read_audio(tmp_path / name)
    assert rate == 16000 and again.shape == (3000,)
    assert np.abs(again - signal.mean(axis=0)).max() < 1e-4
    summary = summarise_audio(tmp_path / name)
    assert (summary.channels, summary.samples) == (channels, 3000)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (16000, 2)])
def test_sound_that_changes_in_mid_file_is_refused(tmp_path, rate, channels):
    """Two recordings one after the other, as MP3 allows."""
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 40000)).astype(np.float32)
    encode_sound(tmp_path / "a.mp3", noise[:1], 16000, "libmp3lame", "fltp")
    encode_sound(tmp_path / "b.mp3", noise[:channels], rate, "libmp3lame", "fltp")
    both = tmp_path / "both.mp3"
    both.write_bytes((tmp_path / "a.mp3").read_bytes() * 2)
    assert len(read_audio(both)[0]) > 79000  # of one kind, they are one recording
    both.write_bytes((tmp_path / "a.mp3").read_bytes() + (tmp_path / "b.mp3").read_bytes())
    now = f"{rate} Hz, {'stereo' if channels == 2 else 'mono'}"
    said = rf"both\.mp3 changes from 16000 Hz, mono .* to {now} .*: convert it to WAV"
    for read in (read_audio, summarise_audio, lambda path: list(audio_blocks(path, 16000))):
        with pytest.raises(TalkerError, match=said):
            read(both)
    with pytest.raises(TalkerError, match=said):
        sound_at(both, 16000, None, 16000)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_streamed_resampling_keeps_time(tmp_path, rate):
    place = rate // 2
    write_audio(tmp_path / "a.wav", clicks(rate, [place]), rate)
    signal = np.concatenate(list(audio_blocks(tmp_path / "a.wav", 16000)))
    assert abs(len(signal) - 16000) <= 2
    assert abs(int(np.abs(signal).argmax()) - 8000) <= 1


def test_sound_is_streamed_and_not_read_at_once(tmp_path):
    write_audio(tmp_path / "a.wav", np.full(16000 * 20, 0.1), 16000)
    first = list(islice(audio_blocks(tmp_path / "a.wav", 16000), 3))
    assert sum(map(len, first)) < 16000


def test_summary_of_a_sine(tmp_path):
    wave = 0.5 * np.sin(2 * np.pi * 100 * np.arange(16000) / 16000)
    write_audio(tmp_path / "a.wav", wave, 16000)
    summary = summarise_audio(tmp_path / "a.wav")
    assert (summary.rate, summary.channels, summary.samples) == (16000, 1, 16000)
    assert summary.seconds == 1.0
    assert summary.rms == pytest.approx(0.5 / np.sqrt(2), abs=1e-4)


def test_unusable_sound_is_named(tmp_path):
    (tmp_path / "text.wav").write_bytes(b"this is not sound" * 20)
    with pytest.raises(TalkerError, match=r"text\.wav cannot be decoded"):
        read_audio(tmp_path / "text.wav")
    with pytest.raises(TalkerError, match=r"no file .*gone\.wav"):
        read_audio(tmp_path / "gone.wav")
    write_audio(tmp_path / "empty.wav", np.zeros(0), 16000)
    for reader in (read_audio, summarise_audio):
        with pytest.raises(TalkerError, match=r"empty\.wav holds no sound"):
            reader(tmp_path / "empty.wav")
    write_video(tmp_path / "mute.mp4", [quarters()] * 3, 25)
    with pytest.raises(TalkerError, match=r"mute\.mp4 has no audio"):
        read_audio(tmp_path / "mute.mp4")


# ---- video


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
    with pytest.raises(TalkerError, match="is a folder"):
        write_image(tmp_path, quarters())
    with pytest.raises(TalkerError, match="even height and width"):
        VideoWriter(tmp_path / "a.mp4", 25, (127, 96))


@contextmanager
def files_of_at_most(size: int):
    """What a full disk does, done to this process: no file may grow over so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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
