"""Pictures and sound by their time stamps: a clapper, filmed into many containers."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from talker.errors import TalkerError
from talker.footage import frames_at, sound_at
from talker.media import write_audio
from talker.video import write_video

CLAPS = (0.4, 1.0, 1.8)  # seconds after the first picture; where 25, 30 and 50 fps all have one
LENGTH = 2.4


def film(
    path: Path,
    video: str,
    fps: Fraction | int,
    sound: str,
    rate: int,
    video_start: float = 0.0,
    sound_start: float = 0.0,
) -> Path:
    """A dark room with a lamp that flashes for 0.12 s, and a click as it goes on.

    Both streams begin at a time of their own, by one clock on which the claps are fixed.
    """
    claps = [video_start + clap for clap in CLAPS]
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(video, rate=fps)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        speech = container.add_stream(sound, rate=rate, layout="mono")
        first = round(video_start * fps)
        room = np.random.default_rng(0).integers(20, 60, (48, 64, 3), np.uint8)
        for number in range(round(LENGTH * fps)):
            time = float((first + number) / Fraction(fps))
            flash = any(-1e-4 <= time - clap < 0.12 for clap in claps)
            picture = av.VideoFrame.from_ndarray(np.where(flash, 255 - room, room), format="rgb24")
            picture.pts, picture.time_base = first + number, 1 / Fraction(fps)
            container.mux(pictures.encode(picture))
        container.mux(pictures.encode(None))
        signal = np.zeros(round((video_start + LENGTH - sound_start) * rate), np.float32)
        for clap in claps:
            if clap >= sound_start:
                signal[round((clap - sound_start) * rate)] = 0.9
        block = av.AudioFrame.from_ndarray(signal[None], format="fltp", layout="mono")
        block.sample_rate, block.time_base = rate, Fraction(1, rate)
        block.pts = round(sound_start * rate)
        fitting = av.AudioResampler(format=speech.codec_context.format, frame_size=1152)
        for part in [*fitting.resample(block), *fitting.resample(None)]:
            container.mux(speech.encode(part))
        container.mux(speech.encode(None))
    return path


def seen_and_heard(path: Path) -> tuple[list[float], list[float], int]:
    """When the lamp goes on and when it clicks, seconds after the first picture; and frames."""
    pictures = list(frames_at(path, 25))
    bright = np.array([picture.image.mean() > 120 for picture in pictures])
    flashes = (np.flatnonzero(bright[1:] & ~bright[:-1]) + 1) / 25
    signal, _ = sound_at(path, 16000, pictures[0].time, 640 * len(pictures))
    assert signal.shape == (640 * len(pictures),) and signal.dtype == np.float32
    clicks = []
    for flash in flashes:
        low = max(0, round((flash - 0.1) * 16000))
        clicks.append((low + np.abs(signal[low : low + 3200]).argmax()) / 16000)
    return flashes.tolist(), clicks, len(pictures)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mpg", ("mpeg1video", 25, "mp2", 44100)),
        ("a.mp4", ("libx264", 25, "aac", 44100)),
        ("a.mp4", ("libx264", 30, "aac", 48000, 0.0, 0.2)),
        ("a.mp4", ("libx264", 50, "aac", 16000, 0.4, 0.0)),
        ("a.flv", ("flv1", 25, "libmp3lame", 44100)),
        ("a.flv", ("flv1", 30, "libmp3lame", 22050, 0.0, 0.5)),
        ("a.mkv", ("libx264", 50, "pcm_s16le", 50000, 0.6, 0.3)),
        ("a.mkv", ("mpeg4", 25, "flac", 32000, 0.2, 0.32)),
        ("a.avi", ("mpeg4", 25, "pcm_s16le", 8000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value)),
)
def test_flash_and_click_meet_within_a_millisecond(tmp_path, name, options):
    flashes, clicks, frames = seen_and_heard(film(tmp_path / name, *options))
    assert frames == 60
    assert flashes == pytest.approx(list(CLAPS))
    expected = [clap for clap in CLAPS if clap > options[-1] - 0.1 or len(options) < 6]
    assert clicks[-len(expected) :] == pytest.approx(expected, abs=0.001)


def test_sound_of_an_ntsc_film_stays_exact(tmp_path):
    """CREMA-D films 30000/1001 frames a second; no picture need fall on the moment of a clap."""
    path = film(tmp_path / "a.flv", "flv1", Fraction(30000, 1001), "libmp3lame", 44100)
    flashes, clicks, frames = seen_and_heard(path)
    assert frames == 60
    assert clicks == pytest.approx(list(CLAPS), abs=0.001)
    assert flashes == pytest.approx(list(CLAPS), abs=0.04)


def numbered(path: Path, fps, count: int, keyframes: int = 250) -> Path:
    """A video whose n-th picture is n grey, with something on it that is not blank."""
    frames = np.empty((count, 32, 32, 3), np.uint8)
    frames[:] = (10 + 6 * np.arange(count))[:, None, None, None]
    frames[:, 16:, 16:] += 40
    write_video(path, frames, fps, crf=1, keyframes=keyframes)
    return path


def numbers(path: Path) -> list[int]:
    return [round((p.image[:12, :12].mean() - 10) / 6) for p in frames_at(path, 25)]


@pytest.mark.parametrize(
    ("fps", "count", "expected"),
    [
        (25, 30, list(range(30))),
        (25, 1, [0]),
        (50, 20, list(range(0, 20, 2))),
        (30, 12, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11]),
        (12.5, 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
    ],
)
def test_frames_are_picked_by_time(tmp_path, fps, count, expected):
    assert numbers(numbered(tmp_path / "a.mp4", fps, count)) == expected


def test_every_picture_is_at_most_half_a_frame_off(tmp_path):
    fps = Fraction(30000, 1001)
    picked = np.array(numbers(numbered(tmp_path / "a.mp4", fps, 30)))
    late = picked / float(fps) - np.arange(len(picked)) / 25
    assert len(picked) == 25 and np.abs(late).max() <= 0.5 / float(fps) + 1e-9
    assert late.min() < -0.01 and late.max() > 0.01  # on either side


def test_blank_pictures_and_what_is_predicted_from_them(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (30, 32, 32, 3), np.uint8)
    frames[4:6] = 128
    write_video(tmp_path / "a.mp4", frames, 25, keyframes=10)
    blank = [n for n, picture in enumerate(frames_at(tmp_path / "a.mp4", 25)) if picture.blank]
    assert blank[:2] == [4, 5] and blank[-1] < 10


def test_where_there_is_no_sound_there_are_zeros(tmp_path):
    write_audio(tmp_path / "a.wav", np.full(8000, 0.5, np.float32), 16000)
    signal, heard = sound_at(tmp_path / "a.wav", 16000, Fraction(-1, 4), 16000)
    assert heard == 0.5
    assert np.abs(signal[:4000]).max() == 0 and np.abs(signal[12000:]).max() == 0
    assert signal[4000:12000] == pytest.approx(0.5, abs=1e-3)
    later, heard = sound_at(tmp_path / "a.wav", 16000, Fraction(1, 4), 16000)
    assert heard == 0.25 and np.flatnonzero(later).max() == 3999


def test_stereo_is_mixed_to_mono(tmp_path):
    stereo = np.stack([np.full(4410, 0.6), np.zeros(4410)]).astype(np.float32)
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=44100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(stereo, format="fltp", layout="stereo")
        frame.sample_rate = 44100
        for part in av.AudioResampler(format="flt").resample(frame):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    signal, _ = sound_at(tmp_path / "a.wav", 16000, None, 1600)
    assert signal[100:1500] == pytest.approx(0.3, abs=0.01)


def test_sound_of_eight_channels_is_mixed_to_mono(tmp_path):
    sound = np.zeros((8, 16000), np.float32)
    sound[5] = 0.8
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="7.1")
        frame = av.AudioFrame.from_ndarray(
            np.rint(sound.T * 32767).astype(np.int16).reshape(1, -1), format="s16", layout="7.1"
        )
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
    signal, heard = sound_at(tmp_path / "a.wav", 16000, None, 16000)
    assert heard == 1.0 and signal == pytest.approx(0.1, abs=1e-4)


def test_unusable_files_are_named(tmp_path):
    (tmp_path / "a.mpg").write_bytes(b"no video")
    for read in (lambda p: list(frames_at(p, 25)), lambda p: sound_at(p, 16000, None, 10)):
        with pytest.raises(TalkerError, match="a.mpg cannot be decoded"):
            read(tmp_path / "a.mpg")
        with pytest.raises(TalkerError, match="there is no file .*b.mpg"):
            read(tmp_path / "b.mpg")
    write_audio(tmp_path / "a.wav", np.zeros(100), 16000)
    with pytest.raises(TalkerError, match="a.wav has no video"):
        list(frames_at(tmp_path / "a.wav", 25))
