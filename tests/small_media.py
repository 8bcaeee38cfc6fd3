"""Pictures and sounds with known contents, and a disk that is full."""

import resource
from contextlib import contextmanager

import av
import numpy as np

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


@contextmanager
def files_of_at_most(size: int):
    """What a full disk does, done to this process: no file may grow over so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
