"""The 1-D convolutions that turn one raw audio frame into one embedding (section 3.1.2)."""

from torch import Tensor, nn

from talker.config import AudioConfig
from talker.errors import TalkerError
from talker.models.layers import normalise


class AudioFrameEncoder(nn.Module):
    """Six convolutions over the raw waveform of one audio frame, down to a single time step.

    The first kernel is large, 5 ms with a stride of 1 ms, whatever the sampling rate: 250/50 at
    the released model's 50 kHz, 80/16 at 16 kHz; so 0.2 s are always 200 steps, then 100, 50, 25,
    5 and 1. Norm and ReLU follow all but the last, which ends in Tanh.
    """

    def __init__(self, audio: AudioConfig, width: int, out: int, normalisation: str) -> None:
        super().__init__()
        rate = audio.rate
        kernel, stride, padding = round(0.005 * rate), round(0.001 * rate), round(0.002 * rate)
        shapes = [  # channels, kernel, stride, padding
            (width, kernel, stride, padding),
            (2 * width, 4, 2, 1),
            (4 * width, 4, 2, 1),
            (8 * width, 4, 2, 1),
            (16 * width, 10, 5, 3),
        ]
        layers: list[nn.Module] = []
        before, steps = 1, audio.samples
        for channels, kernel, stride, padding in shapes:
            steps = (steps + 2 * padding - kernel) // stride + 1
            layers += [
                nn.Conv1d(before, channels, kernel, stride, padding),
                normalise(normalisation, channels, dimensions=1),
                nn.ReLU(),
            ]
            before = channels
        if steps < 1:
            raise TalkerError(f"audio frames of {audio.window} s are too short for the encoder")
        layers += [nn.Conv1d(before, out, steps), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, audio_frames: Tensor) -> Tensor:
        """(B, T, window * rate) -> (B, T, out) in (-1, 1); every audio frame on its own."""
        batch, time, samples = audio_frames.shape
        embedding = self.layers(audio_frames.reshape(batch * time, 1, samples))
        return embedding.view(batch, time, -1)
