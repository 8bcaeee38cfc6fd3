"""Miniature corpora in the layouts and containers of the real ones, of one packaged performer."""

from __future__ import annotations

import functools
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from talker.media import read_audio, read_image

ASSETS = Path(__file__).parents[1] / "talker" / "assets"

# Container, codecs and rates as the corpora ship them.
KINDS = {
    ".mpg": ("mpeg", "mpeg1video", Fraction(25), "mp2", 44100),
    ".mp4": ("mp4", "libx264", Fraction(30000, 1001), "aac", 48000),
    ".flv": ("flv", "flv", Fraction(30000, 1001), "libmp3lame", 44100),
}


@functools.cache
def performer() -> tuple[np.ndarray, np.ndarray, int]:
    """One frame, uint8 (128, 96, 3), and the first second of the sentence, float32, at its rate."""
    signal, rate = read_audio(ASSETS / "sentence.wav")
    return read_image(ASSETS / "still.png"), signal[:rate], rate


def write_clip(path: Path, frames: int = 25) -> Path:
    """A clip of `frames` frames in the container that the name ends with, about as long a sound."""
    form, video_codec, fps, audio_codec, rate = KINDS[path.suffix]
    picture, signal, from_rate = performer()
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=form) as container:
        video = container.add_stream(video_codec, rate=fps)
        video.height, video.width = picture.shape[:2]
        video.pix_fmt = "yuv420p"
        video.bit_rate = 1_000_000
        sound = container.add_stream(audio_codec, rate=rate, layout="stereo")
        for number in range(frames):
            shifted = np.roll(picture, number, axis=1)
            frame = av.VideoFrame.from_ndarray(shifted, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = signal[: int(frames / fps * from_rate)]
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * 2), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = from_rate, 0, Fraction(1, from_rate)
        resampler = av.AudioResampler(
            format=sound.codec_context.format,
            layout="stereo",
            rate=rate,
            frame_size=sound.codec_context.frame_size,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


@functools.cache
def _encoded(suffix: str, folder: Path) -> Path:
    return write_clip(folder / f"clip{suffix}")


def copy_clip(path: Path, encoded: Path) -> Path:
    """The same clip at another path, encoded once for each `encoded` folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_encoded(path.suffix, encoded), path)
    return path


def align(path: Path, words: str, ending: str = "\r\n") -> Path:
    """An .align file of 3 s: silence, the words of 5 frames each, silence."""
    lines, now = ["0 5000 sil"], 5000
    for word in words.split():
        lines.append(f"{now} {now + 5000} {word}")
        now += 5000
    lines.append(f"{now} 74500 sil")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ending.join(lines) + ending, newline="")
    return path
