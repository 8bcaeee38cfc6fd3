"""Do these lips say this? Embeddings of mouths and of sounds, near when the two belong together.

J. S. Chung and A. Zisserman, "Out of time: automated lip sync in the wild", ACCV Workshops 2016:
one stream sees the mouth in five frames, the other hears the 13 mel-frequency cepstral
coefficients of the same 0.2 s. Ours is smaller, sees grey mouths of 48x48 pixels and convolves
sound over time only. `talker.evaluators.train_synchrony` trains it;
`talker.evaluators.official_syncnet` is theirs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.audio import audio_frames
from talker.config import AudioConfig, from_json
from talker.evaluators.weights import load_evaluator, shipped

AUDIO = AudioConfig(rate=16000, fps=25, window=0.2)
SNIPPET = 5  # frames that last as long as an audio frame
SIZE = 48  # pixels of a mouth
LEFT, TOP = 24, 66  # of the mouth in the canonical face of 96x128: lips and most chins
COEFFICIENTS, STEPS = 13, 20  # of the cepstrum: a step lasts 10 ms
WINDOW, FFT, MELS = 400, 512, 40  # samples (25 ms), samples, bands
FLOOR = 1e-4  # of a clip's mean power in a band: what is 40 dB softer is silence
GREY = (0.299, 0.587, 0.114)


class SynchronyNetwork(Protocol):
    """What the measure of synchrony asks of a network."""

    def embed(self, frames: np.ndarray, signal: np.ndarray) -> tuple[Tensor, Tensor]:
        """Aligned frames uint8 (T, 128, 96, 3) and float32 (640 T,) at 16 kHz -> two (T - 4, D).

        Row i of the first is of frames i to i + 4, row i of the second of the sound in that time.
        """
        ...


@dataclass(frozen=True)
class SyncNetConfig:
    """width: channels of the first layer that sees; audio_width: of the first that hears.

    scale: what distances between unit vectors are multiplied by. It is chosen after training, so
    that a confidence of 0.5 means what it means in the paper (`calibrated`).
    """

    width: int = 32
    audio_width: int = 128
    embedding_dim: int = 128
    scale: float = 1.0


class SyncNet(nn.Module):
    """Two streams to embeddings on a sphere of radius `config.scale`."""

    def __init__(self, config: SyncNetConfig) -> None:
        super().__init__()
        self.config = config
        w, a, dim = config.width, config.audio_width, config.embedding_dim
        self.video = nn.Sequential(
            *_seen(SNIPPET, w, 5),
            *_seen(w, 2 * w, 3),
            *_seen(2 * w, 4 * w, 3),
            *_seen(4 * w, 8 * w, 3),
            nn.Flatten(),
            nn.Linear(8 * w * (SIZE // 16) ** 2, 256),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Linear(256, dim),
        )
        self.audio = nn.Sequential(
            nn.BatchNorm1d(COEFFICIENTS, affine=False),  # each coefficient in its own deviations
            *_heard(COEFFICIENTS, a, 5, 1),
            *_heard(a, a, 3, 2),
            *_heard(a, 2 * a, 3, 2),
            nn.Flatten(),
            nn.Linear(2 * a * (STEPS // 4), 256),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Linear(256, dim),
        )

    def see(self, snippets: Tensor) -> Tensor:
        """Grey mouths (N, 5, 48, 48), in any unit -> (N, D).

        Each snippet is brought to mean 0 and deviation 1: light and skin are no part of speech.
        """
        deviation, mean = torch.std_mean(snippets, dim=(1, 2, 3), keepdim=True)
        return self._on_sphere(self.video((snippets - mean) / (deviation + 1e-5)))

    def hear(self, cepstra: Tensor) -> Tensor:
        """Cepstra (N, 13, 20) of audio frames, as `cepstra` makes them -> (N, D)."""
        return self._on_sphere(self.audio(cepstra))

    def _on_sphere(self, embedding: Tensor) -> Tensor:
        return self.config.scale * F.normalize(embedding.float(), dim=-1)

    def embed(self, frames: np.ndarray, signal: np.ndarray) -> tuple[Tensor, Tensor]:
        """See `SynchronyNetwork.embed`."""
        return self.look(frames), self.listen(signal, len(frames))

    @torch.inference_mode()
    def look(self, frames: np.ndarray) -> Tensor:
        """The pictures' half of `embed`."""
        return self.see(snippets(torch.from_numpy(grey(mouths(frames))).float()))

    @torch.inference_mode()
    def listen(self, signal: np.ndarray, frames: int) -> Tensor:
        """The sound's half of `embed`, for so many frames."""
        heard = cepstra(audio_frames(torch.from_numpy(signal), AUDIO, frames))
        return self.hear(heard[SNIPPET // 2 : frames - SNIPPET // 2])


def _seen(of: int, to: int, kernel: int) -> list[nn.Module]:
    """Half the size: convolution, batch norm, ReLU."""
    convolution = nn.Conv2d(of, to, kernel, stride=2, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(to), nn.ReLU()]


def _heard(of: int, to: int, kernel: int, stride: int) -> list[nn.Module]:
    """The same along time."""
    convolution = nn.Conv1d(of, to, kernel, stride=stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm1d(to), nn.ReLU()]


@functools.cache
def find_synchrony(path: Path | None = None) -> SynchronyNetwork:
    """The network that measures of synchrony use: the packaged one, or that of a file.

    A `.safetensors` is ours; anything else is taken for the official `syncnet_v2.model`. Raises
    TalkerError when the file is missing or does not fit.
    """
    if path is not None and path.suffix != ".safetensors":
        from talker.evaluators.official_syncnet import load_official

        return load_official(path)
    file = path or shipped("synchrony")
    return load_evaluator(file, lambda told: SyncNet(from_json(SyncNetConfig, told, str(file))))


def mouths(frames: np.ndarray, margin: int = 0) -> np.ndarray:
    """Aligned frames (T, 128, 96, 3) -> the mouth with `margin` pixels more on each side."""
    rows = slice(TOP - margin, TOP + SIZE + margin)
    return frames[:, rows, LEFT - margin : LEFT + SIZE + margin]


def grey(images: np.ndarray) -> np.ndarray:
    """uint8 (..., 3) RGB -> uint8 (...): luma as television weighs it (ITU-R BT.601)."""
    return np.rint(images @ np.array(GREY, np.float32)).astype(np.uint8)


def snippets(frames: Tensor) -> Tensor:
    """(..., T, H, W) -> (..., T - 4, 5, H, W), a view: every five consecutive frames."""
    return frames.unfold(-3, SNIPPET, 1).movedim(-1, -3)


@functools.cache
def mel_bank() -> tuple[Tensor, Tensor]:
    """Triangular mel filters (257, 40), and the cosines (40, 13) of the cepstrum."""
    from torchaudio.functional import create_dct, melscale_fbanks

    mel = melscale_fbanks(FFT // 2 + 1, 0.0, AUDIO.rate / 2, MELS, AUDIO.rate)
    return mel, create_dct(COEFFICIENTS, MELS, norm="ortho")


def cepstra(audio_frames: Tensor) -> Tensor:
    """Audio frames (T, 3200) of one clip -> (T, 13, 20), a step every 10 ms.

    The floor follows the clip's own level, and the clip's mean of each coefficient is taken away:
    neither gain nor the microphone's colour changes what comes out. Silence gives zeros.
    """
    mel, cosines = mel_bank()
    hop = audio_frames.shape[-1] // STEPS
    padded = F.pad(audio_frames, [(WINDOW - hop) // 2] * 2)  # steps are centred on their 10 ms
    pieces = padded.unfold(-1, WINDOW, hop) * torch.hann_window(WINDOW)
    bands = torch.fft.rfft(pieces, FFT).abs().square() @ mel
    level = bands.mean().clamp_min(1e-20)
    coefficients = torch.log(bands / level + FLOOR) @ cosines
    return (coefficients - coefficients.mean(dim=(0, 1))).transpose(-1, -2)
