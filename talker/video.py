"""Read and write video, with its sound in step; nothing in here knows about faces or networks.

Pictures are uint8 RGB with rows first. FFmpeg comes inside PyAV's wheel, so no system package is
needed. The writer goes through a temporary file, and writes the same bytes for the same input.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import (
    ColorPrimaries,
    ColorRange,
    Colorspace,
    ColorTrc,
    VideoReformatter,
)

from talker.errors import TalkerError
from talker.files import replacing
from talker.media import audio_frame, decoded, opened, resampled, sound_blocks

AAC_RATES = frozenset(
    (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
)


def read_video(path: Path | str) -> tuple[np.ndarray, Fraction]:
    """All frames of a video: uint8 (T, H, W, 3) RGB, and frames per second.

    Raises TalkerError when the file is missing, cannot be decoded or has no frames.
    """
    with opened(path, "video") as (container, stream):
        stream.thread_type = "AUTO"
        to_rgb = VideoReformatter()  # made once: making it costs more than converting a frame
        pictures = (to_rgb.reformat(frame, format="rgb24") for frame in decoded(container, stream))
        frames = [picture.to_ndarray() for picture in pictures]
        fps = stream.average_rate
    if not frames:
        raise TalkerError(f"{path} has no frame that can be decoded: check that it is complete.")
    return np.stack(frames), fps


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """What stands in the way of writing, such as a full disk, as TalkerError."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        raise TalkerError(f"{path} cannot be written: {error.strerror}.") from error


class VideoWriter:
    """Context manager that writes an MP4 frame by frame, with the sound kept in step.

    H.264 in yuv420p with its index at the front, so that browsers play it at once. No B-frames:
    the first picture then needs no edit list, and a player that ignores edit lists is not late.
    Sound becomes AAC at its own sampling rate where AAC has that rate (48 kHz otherwise), in mono
    or stereo as it came (more channels are mixed to mono). AAC starts with 1024 samples of its
    own; the file's edit list takes them off again, so sample 0 sounds as frame 0 appears.

    `size` is (height, width), both even; `audio` is the path of any file with sound, which is
    then streamed, or (float32 signal (S,), rate); `comment` goes into the file's metadata; a key
    frame comes at least every `keyframes` frames, and reading may begin at any of them.
    Raises TalkerError when the file cannot be written or the sound cannot be read.
    """

    def __init__(
        self,
        path: Path | str,
        fps: Fraction | float,
        size: tuple[int, int],
        audio: Path | str | tuple[np.ndarray, int] | None = None,
        crf: int = 18,
        comment: str = "",
        keyframes: int = 250,
    ) -> None:
        if size[0] % 2 or size[1] % 2:
            raise TalkerError(f"a video needs an even height and width, not {size[0]}x{size[1]}.")
        self.path, self.size, self.crf, self.comment = Path(path), tuple(size), crf, comment
        self.keyframes, self._to_yuv = keyframes, VideoReformatter()
        self.fps = Fraction(fps).limit_denominator(1001)
        self.frames = 0
        self._audio = audio
        self._seconds_heard = Fraction(0)

    def __enter__(self) -> VideoWriter:
        blocks, rate, channels = self._source()
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        if rate:  # times in whole samples, or the edit list would round the sound to 1 ms
            options["movie_timescale"] = str(rate)
        with _writing(self.path), ExitStack() as stack:
            temporary = stack.enter_context(replacing(self.path))
            opened = av.open(str(temporary), "w", format="mp4", options=options)
            self._container = stack.enter_context(opened)
            if self.comment:
                self._container.metadata["comment"] = self.comment
            self._video = self._video_stream()
            self._sound = None
            if rate:
                layout = "mono" if channels == 1 else "stereo"
                self._sound = self._container.add_stream("aac", rate=rate, layout=layout)
                self._sound.bit_rate = channels * min(96_000, 4 * rate)
                self._sound.codec_context.flags |= Flags.bitexact
            self._blocks = blocks
            self._stack = stack.pop_all()
        return self

    def _video_stream(self):
        # One thread: x264's output depends on how many there are, and so on the machine.
        options = {"crf": str(self.crf), "bf": "0", "threads": "1", "g": str(self.keyframes)}
        stream = self._container.add_stream("libx264", rate=self.fps, options=options)
        stream.height, stream.width = self.size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.flags |= Flags.bitexact
        # Untagged, players guess the colour matrix from the picture's size.
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        return stream

    def _source(self) -> tuple[Iterator[np.ndarray], int, int]:
        """Blocks (C, n), their rate and C; rate 0 when there is no sound."""
        if self._audio is None:
            return iter(()), 0, 0
        if isinstance(self._audio, tuple):
            signal, from_rate = self._audio
            signal = np.asarray(signal, np.float32)[None]
            cuts = range(0, signal.shape[1], 1024)
            sound = ((signal[:, cut : cut + 1024], from_rate) for cut in cuts)
        else:
            sound = sound_blocks(self._audio)
        first = next(sound, None)
        if first is None:
            return iter(()), 0, 0
        (block, from_rate), blocks = first, (b for b, _ in itertools.chain([first], sound))
        if block.shape[0] > 2:
            blocks = (b.mean(axis=0, keepdims=True) for b in blocks)
        rate = from_rate if from_rate in AAC_RATES else 48000
        channels = block.shape[0] if block.shape[0] <= 2 else 1
        return resampled(blocks, from_rate, rate), rate, channels

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, uint8 (H, W, 3) RGB."""
        if frame.shape != (*self.size, 3):
            raise ValueError(f"a frame of shape {frame.shape} in a video of {self.size}")
        rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = self._to_yuv.reformat(
            rgb, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        picture.pts, picture.time_base = self.frames, 1 / self.fps
        with _writing(self.path):
            self._container.mux(self._video.encode(picture))
            self.frames += 1
            self._hear(until=self.frames / self.fps)

    def _hear(self, until: Fraction | float) -> None:
        """Encode sound up to that second, so that neither stream waits in memory for the other."""
        while self._sound is not None and self._seconds_heard < until:
            block = next(self._blocks, None)
            if block is None:
                return
            rate = self._sound.rate
            frame = audio_frame(block, rate)
            frame.time_base = Fraction(1, rate)
            frame.pts = round(self._seconds_heard * rate)
            self._container.mux(self._sound.encode(frame))
            self._seconds_heard += Fraction(block.shape[1], rate)

    def __exit__(self, *error) -> None:
        if error[0] is not None:
            # The file is thrown away: that it cannot be completed either would hide the reason.
            with suppress(av.error.FFmpegError, OSError):
                self._stack.__exit__(*error)
            return
        with _writing(self.path), self._stack:
            self._hear(until=float("inf"))
            self._container.mux(self._video.encode(None))
            if self._sound is not None:
                self._container.mux(self._sound.encode(None))


def write_video(
    path: Path | str,
    frames: Iterable[np.ndarray],
    fps: Fraction | float,
    signal: np.ndarray | None = None,
    rate: int | None = None,
    crf: int = 18,
    comment: str = "",
    keyframes: int = 250,
) -> None:
    """Write frames, uint8 (T, H, W, 3), and sound, float32 (S,) at `rate` Hz, as an MP4.

    See `VideoWriter` for the format; `crf` is x264's quality, from 1 (best) to 51, and `keyframes`
    the largest distance between two key frames.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError(f"no frame to write to {path}")
    audio = None if signal is None else (signal, rate)
    with VideoWriter(path, fps, first.shape[:2], audio, crf, comment, keyframes) as writer:
        for frame in itertools.chain([first], frames):
            writer.write(frame)
