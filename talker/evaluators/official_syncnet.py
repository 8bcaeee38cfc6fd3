"""The SyncNet that published AV offsets and confidences come from, for those who have its weights.

The network of J. S. Chung and A. Zisserman, layer for layer, so that their file `syncnet_v2.model`
fits it, and the cepstra it was trained on: those of James Lyons' package python_speech_features
with its default settings. The weights are not part of this project; their authors offer them at
https://www.robots.ox.ac.uk/~vgg/software/lipsync/.
"""

from __future__ import annotations

import functools
import math
import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from talker.errors import TalkerError

SIZE = 224  # pixels of the face
# The face's square in the canonical face of 96x128: left, top, side. The authors cut 2.8 times half
# the taller side of a face detector's box, with more below than above; this is that square about a
# box from the hairline to the chin. What of it lies outside the frame repeats the frame's border.
SQUARE = (-22.5, 13.5, 140.0)
RATE, HOP, WINDOW, FFT = 16000, 160, 400, 512
BANDS, COEFFICIENTS, LIFTER, EMPHASIS = 26, 13, 22, 0.97
STEPS_PER_FRAME, SNIPPET = 4, 5
BATCH = 20  # snippets: 60 MB of pictures


class OfficialSyncNet(nn.Module):
    """Faces and cepstra to 1024 numbers each; parameters are named as in the published file."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv2d(1, 64, 3, 1),
            nn.MaxPool2d(1),  # does nothing; the file's names count it
            *_conv2d(64, 192, 3, 1),
            nn.MaxPool2d(3, (1, 2)),
            *_conv2d(192, 384, 3, 1),
            *_conv2d(384, 256, 3, 1),
            *_conv2d(256, 256, 3, 1),
            nn.MaxPool2d(3, 2),
            *_conv2d(256, 512, (5, 4), 0),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_conv3d(3, 96, (5, 7, 7), 2, 0),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3d(96, 256, (1, 5, 5), 2, 1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_conv3d(256, 256, (1, 3, 3), 1, 1),
            *_conv3d(256, 256, (1, 3, 3), 1, 1),
            *_conv3d(256, 256, (1, 3, 3), 1, 1),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3d(256, 512, (1, 6, 6), 1, 0),
        )

    def see(self, snippets: Tensor) -> Tensor:
        """Faces (N, 3, 5, 224, 224), BGR, 0 to 255 -> (N, 1024)."""
        return self.netfclip(self.netcnnlip(snippets).flatten(1))

    def hear(self, cepstra: Tensor) -> Tensor:
        """Cepstra (N, 13, 20) -> (N, 1024)."""
        return self.netfcaud(self.netcnnaud(cepstra.unsqueeze(1)).flatten(1))

    @torch.inference_mode()
    def embed(self, frames: np.ndarray, signal: np.ndarray) -> tuple[Tensor, Tensor]:
        """See `talker.evaluators.synchrony.SynchronyNetwork.embed`."""
        pictures = torch.from_numpy(faces(frames)).permute(3, 0, 1, 2).float()  # (3, T, H, W)
        count = len(frames) - SNIPPET + 1
        seen = []
        for start in range(0, count, BATCH):
            of = range(start, min(start + BATCH, count))
            seen.append(self.see(torch.stack([pictures[:, i : i + SNIPPET] for i in of])))
        needed = STEPS_PER_FRAME * len(frames)
        heard = torch.from_numpy(cepstra(signal, needed)).float().T  # (13, 4 T)
        cut = heard.unfold(1, STEPS_PER_FRAME * SNIPPET, STEPS_PER_FRAME).transpose(0, 1)
        return torch.cat(seen), self.hear(cut)


def _conv2d(of: int, to: int, kernel: int | tuple[int, int], padding: int) -> list[nn.Module]:
    return [nn.Conv2d(of, to, kernel, padding=padding), nn.BatchNorm2d(to), nn.ReLU()]


def _conv3d(
    of: int, to: int, kernel: tuple[int, int, int], stride: int, padding: int
) -> list[nn.Module]:
    convolution = nn.Conv3d(of, to, kernel, (1, stride, stride), (0, padding, padding))
    return [convolution, nn.BatchNorm3d(to), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def faces(frames: np.ndarray) -> np.ndarray:
    """Aligned frames uint8 (T, 128, 96, 3) RGB -> `SQUARE` of each, (T, 224, 224, 3) BGR."""
    left, top, side = SQUARE
    scale = SIZE / side
    shift = [-edge * scale - 0.5 for edge in (left, top)]  # the edge becomes that of pixel 0
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    cut = functools.partial(
        cv2.warpAffine,
        M=move,
        dsize=(SIZE, SIZE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.stack([cut(frame)[:, :, ::-1] for frame in frames])


def cepstra(signal: np.ndarray, steps: int) -> np.ndarray:
    """float32 (S,) at 16 kHz -> (steps, 13): step k hears samples 160 k to 160 k + 400.

    The sound is taken as 16-bit integers and emphasised; 25 ms without a window function, power
    over 512 points, 26 triangles on the mel scale, orthonormal cosine transform, lifter of 22; the
    first coefficient is replaced by the log of the power.
    """
    samples = np.round(np.asarray(signal, np.float64) * 32768).clip(-32768, 32767)
    emphasised = np.append(samples[:1], samples[1:] - EMPHASIS * samples[:-1])
    needed = HOP * (steps - 1) + WINDOW
    padded = np.pad(emphasised, (0, max(0, needed - len(emphasised))))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:steps]
    power = np.abs(np.fft.rfft(pieces, FFT)) ** 2 / FFT
    tiny = np.finfo(float).eps  # stands in for the 0 of which there is no logarithm
    energy = power.sum(axis=1)
    bands = power @ _triangles().T
    logs = np.log(np.where(bands == 0, tiny, bands))
    n, k = np.arange(BANDS), np.arange(COEFFICIENTS)[:, None]
    cosines = np.cos(np.pi * k * (2 * n + 1) / (2 * BANDS)) * math.sqrt(2 / BANDS)
    cosines[0] /= math.sqrt(2)
    lift = 1 + LIFTER / 2 * np.sin(np.pi * k[:, 0] / LIFTER)
    coefficients = logs @ cosines.T * lift
    coefficients[:, 0] = np.log(np.where(energy == 0, tiny, energy))
    return coefficients


@functools.cache
def _triangles() -> np.ndarray:
    """Triangles (26, 257) between points equally far apart in mel, on whole bins."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    edges = np.floor((FFT + 1) * hertz / RATE)
    bins = np.arange(FFT // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    # A bin at the peak belongs to the falling side, one at the upper edge to no side.
    return np.where(bins < middle, rising, falling).clip(0, None) * (bins >= low) * (bins < high)


def load_official(path: Path) -> OfficialSyncNet:
    """The network with the weights of a file `syncnet_v2.model`, for use.

    Raises TalkerError when the file is missing, holds anything but tensors (loading it runs no
    code), or lacks a layer, has one too many, or one of another shape.
    """
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TalkerError(f"there is no {path}: name the file syncnet_v2.model.") from error
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise TalkerError(
            f"{path} is no file of weights ({str(error).splitlines()[0]}): download "
            "syncnet_v2.model again."
        ) from error
    network = OfficialSyncNet()
    expected = network.state_dict()
    if not isinstance(tensors, dict):
        raise TalkerError(f"{path} holds no named tensors: SyncNet's file is syncnet_v2.model.")
    # Files of PyTorch before 0.4.1 did not count batches.
    missing = [name for name in expected if name not in tensors and "num_batches" not in name]
    for problem, names in (("lacks", missing), ("has the unknown", tensors.keys() - expected)):
        if names:
            raise TalkerError(f"{path} {problem} {min(names)}: SyncNet's file is syncnet_v2.model.")
    for name, value in tensors.items():
        if value.shape != expected[name].shape:
            raise TalkerError(
                f"{path} has {name} of shape {tuple(value.shape)}, and SyncNet has it of "
                f"{tuple(expected[name].shape)}: take syncnet_v2.model."
            )
    network.load_state_dict(expected | tensors)
    return network.eval()
