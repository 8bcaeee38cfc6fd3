"""A recording as it was filmed -> frames at one rate and the sound that belongs to them.

Files differ in frame rate, sampling rate and in when each of their streams begins, so nothing here
counts frames or samples: every picture and every block of sound goes where its time stamp says.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from talker.errors import TalkerError
from talker.media import decoded, opened, resampled, sounding

# Time stamps in whole milliseconds, as FLV and Matroska have them, put a block of sound up to this
# many seconds beside the end of the one before; only beyond that is something missing.
_RAGGED = 0.02
_BLANK = 2.0  # deviation of luminance, of 255, below which a picture shows nothing


class Picture(NamedTuple):
    """One picture of a video.

    time: seconds by the file's own clock; image: uint8 (H, W, 3) RGB; blank: one flat colour, or
    predicted from such a picture and nothing newer, which leaves grey ghosts up to the next key
    frame; flagged: the decoder met an error in it, which may be invisible.
    """

    time: Fraction
    image: np.ndarray
    blank: bool
    flagged: bool


def frames_at(path: Path | str, fps: int) -> Iterator[Picture]:
    """A video's pictures at `fps` frames a second, whatever its own rate.

    The n-th is the picture of the file whose time is nearest to that of the first plus n / fps:
    a picture is shown at most half a frame of the file early or late, and at equal rates not at
    all. The last is the last of which at least half its 1 / fps was filmed. Holds two pictures at
    a time. Raises TalkerError when the file is missing, cannot be decoded or has no pictures.
    """
    step, shown, to_rgb = Fraction(1, fps), 0, VideoReformatter()
    with opened(path, "video") as (container, stream):
        stream.codec_context.thread_count = 1  # one clip a core: more threads would only wait
        length = 1 / Fraction(stream.average_rate or fps)

        def due(until: Fraction) -> Iterator[Picture]:
            nonlocal shown
            image = None
            while start + shown * step <= until:
                if image is None:
                    image = to_rgb.reformat(before, format="rgb24").to_ndarray()
                yield Picture(start + shown * step, image, ghost, before.is_corrupt)
                shown += 1

        start = time = before = None
        ghost = False
        for frame in decoded(container, stream):
            earlier, time = time, _time(frame, time, length)
            if before is None:
                start = time
            else:
                yield from due((earlier + time) / 2)
            flat = _luminance(frame).std() < _BLANK
            before, ghost = frame, bool(flat or (ghost and not frame.key_frame))
        if before is not None:
            yield from due(time + length - step / 2)
    if not shown:
        raise TalkerError(f"{path} has no frame that can be decoded: check that it is complete.")


def _time(frame: av.VideoFrame, before: Fraction | None, step: Fraction) -> Fraction:
    """A picture's time in seconds; where the file states none, one step after the one before."""
    if frame.pts is not None:
        return frame.pts * frame.time_base
    return Fraction(0) if before is None else before + step


def _luminance(frame: av.VideoFrame) -> np.ndarray:
    """Every fourth sample each way of the first plane: luminance, or red of an RGB video."""
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[::4, : plane.width : 4]


def sound_at(
    path: Path | str, rate: int, start: Fraction | None, samples: int
) -> tuple[np.ndarray, float]:
    """The sound from one moment of a file's clock on: float32 (samples,) at `rate` Hz, mono.

    start: seconds; None for the file's own first sample. Zeros stand where the file has no sound.
    Also returns how many seconds of the stretch the file has sound for. Raises TalkerError when the
    file is missing, cannot be decoded, has no sound, or sound that changes its rate or channels.
    """
    pieces: list[tuple[int, np.ndarray]] = []  # (first sample, block) at the file's sampling rate
    from_rate, end = 0, 0
    with opened(path, "audio") as (container, stream):
        for frame, block in sounding(path, container, stream):
            from_rate = frame.sample_rate
            if frame.pts is None:
                place = end
            else:
                time = frame.pts * frame.time_base
                start = time if start is None else start
                place = round((time - start) * from_rate)
            if pieces and abs(place - end) <= _RAGGED * from_rate:
                place = end
            pieces.append((place, block.mean(axis=0)))
            end = place + block.shape[1]
    if not pieces:
        raise TalkerError(f"{path} holds no sound at all: give a recording that is not empty.")
    line = np.zeros(-(-samples * from_rate // rate), np.float32)
    heard = 0
    for place, block in pieces:
        low, high = max(place, 0), min(place + len(block), len(line))
        if low < high:
            line[low:high] = block[low - place : high - place]
            heard += high - low
    signal = np.concatenate([part[0] for part in resampled([line[None]], from_rate, rate)])
    fitted = np.zeros(samples, np.float32)
    fitted[: min(samples, len(signal))] = signal[:samples]
    return fitted, heard / from_rate
