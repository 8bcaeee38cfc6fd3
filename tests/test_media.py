"""Images and sound are read and written through real files, decoded again with PyAV."""

from itertools import islice

import numpy as np
import pytest
from PIL import Image
from small_media import clicks, encode_sound, files_of_at_most, quarters

from talker.errors import TalkerError
from talker.footage import sound_at
from talker.media import (
    audio_blocks,
    read_audio,
    read_image,
    summarise_audio,
    write_audio,
    write_image,
)
from talker.video import write_video

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


# ---- what stands in the way of writing


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TalkerError, match=r"a\.wav cannot be written"):
        write_audio(tmp_path / "file" / "a.wav", np.zeros(9), 16000)
    with pytest.raises(TalkerError, match="is a folder"):
        write_image(tmp_path, quarters())


@pytest.mark.parametrize("name", ["a.wav", "a.png", "a.jpg", "a.webp"])
@pytest.mark.parametrize("size", [0, 1000])
def test_a_full_disk_is_said_and_the_old_file_left_alone(tmp_path, name, size):
    (tmp_path / name).write_bytes(b"old")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with (
        files_of_at_most(size),
        pytest.raises(TalkerError, match=f"{name} cannot be written: File"),
    ):
        if name == "a.wav":
            write_audio(tmp_path / name, noise.reshape(-1) / 256, 16000)
        else:
            write_image(tmp_path / name, noise)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"old"
