"""Read and write images and sound, a video's too; nothing here knows about faces or networks.

Sound is float32 in [-1, 1], pictures are uint8 RGB with rows first. FFmpeg comes inside PyAV's
wheel, so no system package is needed. Sound can be streamed, which keeps an hour of it out of
memory. Every writer goes through a temporary file, and writes the same bytes for the same input.
"""

from __future__ import annotations

import io
import itertools
import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from talker.errors import TalkerError
from talker.files import replacing

MID_GREY = (128, 128, 128)


def read_image(path: Path | str) -> np.ndarray:
    """Any image that Pillow opens, upright: uint8 (H, W, 3) RGB.

    EXIF orientation is applied, greyscale is repeated over the three channels, 16-bit samples
    are scaled to 8, and transparent pixels are laid over mid-grey, against which light hair and
    dark hair both stay visible. Raises TalkerError when the file is missing or is no image.
    """
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip instead of scale
                grey = np.asarray(image).astype(np.float64) / 257.0
                image = Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))
            if image.has_transparency_data:
                image = image.convert("RGBA")
                ground = Image.new("RGBA", image.size, (*MID_GREY, 255))
                image = Image.alpha_composite(ground, image)
            return np.array(image.convert("RGB"))
    except FileNotFoundError:
        raise TalkerError(f"there is no image {path}: check the path.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise TalkerError(
            f"{path} cannot be read as an image: save the picture as PNG or JPEG and try again."
        ) from error


def write_image(path: Path | str, image: np.ndarray) -> None:
    """Write uint8 (H, W, 3) RGB in the format that the name ends with (.png, .jpg ...)."""
    content = io.BytesIO()  # into a file, Pillow does not notice that a disk took half of a JPEG
    with replacing(path) as temporary:
        Image.fromarray(image).save(
            content, Image.registered_extensions()[temporary.suffix.lower()]
        )
        temporary.write_bytes(content.getvalue())


@contextmanager
def opened(path: Path | str, kind: str) -> Iterator[tuple]:
    """The file's container and its first "audio" or "video" stream; errors as TalkerError."""
    if not Path(path).is_file():
        raise TalkerError(f"there is no file {path}: check the path.")
    try:
        with av.open(str(path)) as container:
            streams = getattr(container.streams, kind)
            if not streams:
                raise TalkerError(f"{path} has no {kind} in it: give a file that has.")
            yield container, streams[0]
    except (av.error.FFmpegError, OSError) as error:
        raise TalkerError(
            f"{path} cannot be decoded ({error.strerror}): check that the file is complete, "
            "or convert it to WAV or MP4."
        ) from error


def decoded(container, stream) -> Iterator:
    """Frames of one stream; damaged packets are left out, as FFmpeg itself does."""
    for packet in container.demux(stream):
        with suppress(av.error.InvalidDataError):
            yield from packet.decode()


def sounding(path: Path | str, container, stream) -> Iterator[tuple[av.AudioFrame, np.ndarray]]:
    """Frames of one stream of sound, each with its samples as float32 (C, n).

    Raises TalkerError, which names `path`, where another kind of sound begins in mid-stream.
    """
    # Packed, because PyAV reads past the list of planes when there are eight or more.
    to_float = av.AudioResampler(format="flt")
    kind = None
    for frame in decoded(container, stream):
        before, kind = kind, f"{frame.sample_rate} Hz, {frame.layout.name} ({frame.format.name})"
        if before not in (None, kind):
            raise TalkerError(
                f"the sound of {path} changes from {before} to {kind} in mid-file: "
                "convert it to WAV first."
            )
        for part in to_float.resample(frame):
            packed = part.to_ndarray().reshape(-1, part.layout.nb_channels)
            yield frame, np.ascontiguousarray(packed.T)


def sound_blocks(path: Path | str) -> Iterator[tuple[np.ndarray, int]]:
    """Stream (block float32 (C, n), sampling rate) as the file has them; never an empty block."""
    with opened(path, "audio") as (container, stream):
        remaining = None
        for frame, samples in sounding(path, container, stream):
            if remaining is None:
                # An encoder pads the last packet. Players cut that off by the stream's duration,
                # the decoder alone does not; only MP4 states that duration to the sample.
                remaining = float("inf")
                if "mp4" in container.format.name and stream.duration is not None:
                    remaining = round(stream.duration * stream.time_base * frame.sample_rate)
            block = samples[:, : min(samples.shape[1], remaining)]
            remaining -= block.shape[1]
            if block.shape[1]:
                yield block, frame.sample_rate


def resampled(blocks: Iterable[np.ndarray], from_rate: int, to_rate: int) -> Iterator[np.ndarray]:
    """Blocks (C, n) at another rate; the result does not depend on how the signal was cut."""
    if from_rate == to_rate:
        yield from blocks
        return
    resampler = av.AudioResampler(format="fltp", rate=to_rate)
    frames = (audio_frame(block, from_rate) for block in blocks)
    for frame in itertools.chain(frames, [None]):
        for part in resampler.resample(frame):
            if part.samples:
                yield part.to_ndarray()


def audio_frame(block: np.ndarray, rate: int) -> av.AudioFrame:
    """A block (C, n) of one or two channels as PyAV's frame."""
    layout = "mono" if block.shape[0] == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=layout)
    frame.sample_rate = rate
    return frame


def audio_blocks(path: Path | str, rate: int) -> Iterator[np.ndarray]:
    """Stream a file's sound: blocks float32 (n,), mean of the channels, at `rate` Hz.

    Holds one packet at a time. Raises TalkerError when the file is missing, cannot be decoded,
    has no sound, or sound that changes its rate or channels in mid-file.
    """
    sound = sound_blocks(path)
    first = next(sound, None)
    if first is not None:
        blocks = (block for block, _ in itertools.chain([first], sound))
        mono = (block.mean(axis=0, keepdims=True) for block in blocks)
        yield from (block[0] for block in resampled(mono, first[1], rate))


def read_audio(path: Path | str) -> tuple[np.ndarray, int]:
    """The sound of any sound or video file that FFmpeg reads.

    Returns float32 (S,), the mean of the channels, and its own sampling rate in Hz. Raises
    TalkerError as `audio_blocks` does, and when there is not one sample.
    """
    blocks, rate = [], 0
    for block, block_rate in sound_blocks(path):
        blocks.append(block.mean(axis=0))
        rate = block_rate
    if not blocks:
        raise TalkerError(f"{path} holds no sound at all: give a recording that is not empty.")
    return np.concatenate(blocks), rate


@dataclass(frozen=True)
class SoundSummary:
    """What one pass over a recording tells: its length and how loud it is."""

    rate: int  # Hz
    channels: int
    samples: int  # per channel, at `rate`
    rms: float  # of the mean of the channels, full scale = 1

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def summarise_audio(path: Path | str) -> SoundSummary:
    """Decode a file's sound once, holding one packet at a time; raises as `read_audio` does."""
    rate, channels, samples, energy = 0, 0, 0, 0.0
    for block, block_rate in sound_blocks(path):
        rate, channels = block_rate, block.shape[0]
        samples += block.shape[1]
        energy += float(np.square(block.mean(axis=0), dtype=np.float64).sum())
    if not samples:
        raise TalkerError(f"{path} holds no sound at all: give a recording that is not empty.")
    return SoundSummary(rate, channels, samples, float(np.sqrt(energy / samples)))


def write_audio(path: Path | str, signal: np.ndarray, rate: int) -> None:
    """Write float (S,) in [-1, 1] as a 16-bit mono WAV file; louder samples are clipped."""
    samples = np.rint(np.asarray(signal, np.float64) * 32768).clip(-32768, 32767)
    with replacing(path) as temporary, wave.open(str(temporary), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
