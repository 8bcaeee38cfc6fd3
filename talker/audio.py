"""From a recording to audio frames: resampling, 0.2 s windows centred on video frames (Eq. 1)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from talker.config import AudioConfig
from talker.errors import TalkerError


def frame_count(samples: int, audio: AudioConfig) -> int:
    """Video frames in a recording: its length in frames, rounded half up, and at least 1."""
    return max(1, (2 * samples + audio.stride) // (2 * audio.stride))


def audio_frames(signal: Tensor, audio: AudioConfig, frames: int | None = None) -> Tensor:
    """Cut a recording into overlapping audio frames, one centred on each video frame.

    signal: float (..., S) at `audio.rate`. Returns a view (..., T, window * rate) of the padded
    signal, so an hour costs little until it is used; T is `frames`, or the recording's own length.
    Video frame t is on screen during samples [t * stride, (t + 1) * stride), and the middle of its
    window is the middle of that interval: (window - stride) / 2 samples are heard on either side,
    zeros beyond both ends. Stride = rate / fps (Eq. 1). Raises TalkerError if S or `frames` is 0.
    """
    length = signal.shape[-1]
    if length == 0:
        raise TalkerError("the audio is empty: there is nothing to cut into frames")
    count = frame_count(length, audio) if frames is None else frames
    if count < 1:
        raise TalkerError(f"cannot cut audio into {count} frames: ask for at least one")
    before = (audio.samples - audio.stride) // 2
    needed = (count - 1) * audio.stride + audio.samples
    # A negative pad on the right drops sound that no frame hears.
    padded = F.pad(signal, (before, needed - before - length))
    return padded.unfold(-1, audio.samples, audio.stride)


def resample(signal: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """Band-limited resampling of float (..., S) from one rate to another, in samples per second.

    The result has ceil(S * to_rate / from_rate) samples. Raises TalkerError on a rate below 1.
    """
    if from_rate < 1 or to_rate < 1:
        raise TalkerError(f"cannot resample from {from_rate} to {to_rate} samples a second")
    if from_rate == to_rate or signal.shape[-1] == 0:
        return signal
    # Here, because importing torchaudio costs more than everything else in this module.
    import torchaudio.functional

    return torchaudio.functional.resample(signal.to(torch.float32), from_rate, to_rate)
