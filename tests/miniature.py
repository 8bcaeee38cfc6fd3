"""Miniature corpora in the layouts and containers of the real ones, of one packaged performer."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from talker.media import read_audio, read_image

ASSETS = Path(__file__).parents[1] / "talker" / "assets"


@dataclass(frozen=True)
class Kind:
    """What the files of a corpus are: container, codecs, rates, size; how many frames ours have."""

    container: str
    video: str
    fps: Fraction
    size: tuple[int, int]  # height, width
    audio: str
    rate: int
    frames: int


NTSC = Fraction(30000, 1001)
KINDS = {
    "grid": Kind("mpeg", "mpeg1video", Fraction(25), (288, 360), "mp2", 44100, 75),
    "tcd_timit": Kind("mp4", "libx264", NTSC, (1080, 1920), "aac", 48000, 20),
    "cremad": Kind("flv", "flv", NTSC, (360, 480), "libmp3lame", 44100, 60),
    "lrw": Kind("mp4", "libx264", Fraction(25), (256, 256), "aac", 16000, 29),
}


@functools.cache
def performer() -> tuple[np.ndarray, np.ndarray, int]:
    """One frame, uint8 (128, 96, 3), and the sentence of 3 s, float32 (S,), at its rate."""
    signal, rate = read_audio(ASSETS / "sentence.wav")
    return read_image(ASSETS / "still.png"), signal, rate


def scene(number: int, size: tuple[int, int]) -> np.ndarray:
    """The performer three quarters as high as the picture, swaying; uint8 (*size, 3)."""
    picture, (height, width) = performer()[0], size
    scale = 0.75 * height / len(picture)
    matrix = cv2.getRotationMatrix2D((48, 64), 2 * np.sin(number / 6), scale)
    matrix[:, 2] += (width / 2 - 48, height / 2 - 64)
    matrix[:, 2] += scale * np.array([2 * np.sin(number / 5), np.sin(number / 7)])
    how = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    return cv2.warpAffine(picture, matrix, (width, height), **how)


def write_clip(path: Path, kind: str = "grid", frames: int = 25) -> Path:
    """A clip of so many frames as the files of that corpus are, with as long a sound."""
    form = KINDS[kind]
    _, signal, from_rate = performer()
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=form.container) as container:
        video = container.add_stream(form.video, rate=form.fps)
        video.height, video.width = form.size
        video.pix_fmt = "yuv420p"
        video.bit_rate = 1_000_000
        if form.video == "libx264":
            video.options = {"preset": "ultrafast"}
        sound = container.add_stream(form.audio, rate=form.rate, layout="stereo")
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(scene(number, form.size), format="rgb24")
            frame.pts, frame.time_base = number, 1 / form.fps
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = signal[: int(frames / form.fps * from_rate)]
        frame = av.AudioFrame.from_ndarray(np.stack([samples] * 2), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = from_rate, 0, Fraction(1, from_rate)
        resampler = av.AudioResampler(
            format=sound.codec_context.format,
            layout="stereo",
            rate=form.rate,
            frame_size=sound.codec_context.frame_size,
        )
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


@functools.cache
def _encoded(kind: str, folder: Path) -> Path:
    return write_clip(folder / kind, kind, KINDS[kind].frames)


def copy_clip(path: Path, encoded: Path, kind: str) -> Path:
    """The same clip at another path, encoded once for each `encoded` folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_encoded(kind, encoded), path)
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
