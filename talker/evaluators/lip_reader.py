"""What do these lips say? LipNet: frames of a mouth -> a sentence of GRID's grammar.

Y. M. Assael, B. Shillingford, S. Whiteson, N. de Freitas, "LipNet: end-to-end sentence-level
lipreading", arXiv:1611.01599 (2016): three spatio-temporal convolutions, each with ReLU and a
pooling over space, two bidirectional GRUs, and a linear layer whose output is read by connectionist
temporal classification.

The package's own weights are of a smaller network that reads grey mouths and writes words.
`PUBLISHED` is the network of LipNet's size of which there are public weights in PyTorch.
"""

from __future__ import annotations

import functools
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.errors import TalkerError
from talker.evaluators.ctc import Grammar, greedy
from talker.evaluators.weights import load_evaluator, shipped
from talker.studio.grammar import SLOTS, WORDS

NAME = "lip_reader"
UNITS = {"words": WORDS, "characters": tuple(" abcdefghijklmnopqrstuvwxyz")}


@dataclass(frozen=True)
class LipNetConfig:
    """A network and what it is shown.

    units: what it writes, "words" or "characters". box: the part of an aligned 96x128 crop that is
    cut out, as left, top, right and bottom; size: its height and width in pixels when the network
    sees it. grey: brightness whose mean over the clip is 0 and deviation 1; else blue, green and
    red in [0, 1], as OpenCV reads pictures. channels and kernels: of the convolutions (kernels span
    3 frames); hidden: of each direction of a GRU.
    """

    units: str = "words"
    box: tuple[int, int, int, int] = (26, 68, 74, 108)
    size: tuple[int, int] = (40, 48)
    grey: bool = True
    channels: tuple[int, int, int] = (16, 32, 64)
    kernels: tuple[int, int, int] = (5, 3, 3)
    hidden: int = 128


# Its crops are 160 pixels wide and 80 high where the outer corners of the eyes are 126 apart: that
# many pixels here, about the middle of the rendered performers' mouths.
PUBLISHED = LipNetConfig(
    "characters", (19, 68, 81, 99), (64, 128), False, (32, 64, 96), (5, 5, 3), 256
)


class LipNet(nn.Module):
    """(B, 1 or 3, T, H, W) -> log probabilities (B, T, 1 + units); label 0 is blank.

    Its parameters are called as those of the public weights are.
    """

    def __init__(self, config: LipNetConfig) -> None:
        super().__init__()
        self.config = config
        before = 1 if config.grey else 3
        for number, (after, side) in enumerate(zip(config.channels, config.kernels, strict=True)):
            stride = (1, 2, 2) if number == 0 else 1
            padding = (1, side // 2, side // 2)
            convolution = nn.Conv3d(before, after, (3, side, side), stride, padding)
            self.add_module(f"conv{number + 1}", convolution)
            before = after
        height, width = (side // 16 for side in config.size)  # one stride and three poolings
        self.gru1 = nn.GRU(before * height * width, config.hidden, bidirectional=True)
        self.gru2 = nn.GRU(2 * config.hidden, config.hidden, bidirectional=True)
        self.FC = nn.Linear(2 * config.hidden, 1 + len(UNITS[config.units]))

    def forward(self, mouths: Tensor) -> Tensor:
        for convolution in self.convolutions:
            mouths = F.max_pool3d(F.relu(convolution(mouths)), (1, 2, 2))
        features = mouths.permute(2, 0, 1, 3, 4).flatten(2)  # (T, B, features)
        return self.FC(self.gru2(self.gru1(features)[0])[0]).log_softmax(-1).transpose(0, 1)

    @property
    def convolutions(self) -> tuple[nn.Conv3d, ...]:
        return self.conv1, self.conv2, self.conv3


def cut_mouths(frames: np.ndarray, config: LipNetConfig, margin: int = 0) -> np.ndarray:
    """Aligned frames uint8 (T, 128, 96, 3) RGB -> mouths uint8 (T, H, W), or (T, H, W, 3) as BGR.

    The same pixels of every frame, because aligned mouths hardly move: no landmark is needed, which
    would say of a bad picture only that it is bad. margin: pixels more on each side, for training.
    """
    left, top, right, bottom = config.box
    cut = frames[:, top - margin : bottom + margin, left - margin : right + margin, ::-1]
    height, width = (side + 2 * margin for side in config.size)
    made = []
    for image in cut:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if config.grey else image
        if image.shape[:2] != (height, width):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        made.append(image)
    return np.stack(made)


def as_input(mouths: np.ndarray, config: LipNetConfig) -> Tensor:
    """Mouths of one clip, (T, H, W) or (T, H, W, 3) -> what the network reads, (C, T, H, W)."""
    values = torch.from_numpy(np.ascontiguousarray(mouths)).float()
    if not config.grey:
        return values.permute(3, 0, 1, 2) / 255
    # Eight levels keep a picture without any contrast from being all noise.
    return ((values - values.mean()) / (values.std(correction=0) + 8))[None]


class LipReader:
    """A network with the words that it may write."""

    def __init__(self, network: LipNet) -> None:
        self.network, self.config = network.eval(), network.config
        self._units = UNITS[self.config.units]
        labels = {unit: number for number, unit in enumerate(self._units, start=1)}
        if self.config.units == "words":
            self._grammar = Grammar([[(labels[word],) for word in slot] for slot in SLOTS])
        else:
            slots = [[tuple(labels[letter] for letter in word) for word in slot] for slot in SLOTS]
            between = [(labels[" "],)]
            self._grammar = Grammar([s for slot in slots for s in (slot, between)][:-1])

    @torch.inference_mode()
    def log_probabilities(self, frames: np.ndarray) -> np.ndarray:
        """Of every unit at each frame, label 0 for none: (T, 1 + units) for (T, 128, 96, 3)."""
        mouths = as_input(cut_mouths(frames, self.config), self.config)
        return self.network(mouths[None])[0].numpy()

    def read(self, frames: np.ndarray) -> str:
        """The most probable sentence of GRID; "" for fewer frames than it takes to say one.

        frames: uint8 (T, 128, 96, 3), aligned, 25 a second.
        """
        return self.sentence(self.log_probabilities(frames))

    def sentence(self, log_probabilities: np.ndarray) -> str:
        """The most probable sentence of GRID, found by `Grammar.best`."""
        picked = self._grammar.best(log_probabilities)
        if picked is None:
            return ""
        every = 1 if self.config.units == "words" else 2  # every second slot is a space
        return " ".join(slot[i] for slot, i in zip(SLOTS, picked[::every], strict=True))

    def words(self, log_probabilities: np.ndarray) -> str:
        """The units of the most probable path, without any grammar."""
        joined = " " if self.config.units == "words" else ""
        return joined.join(self._units[label - 1] for label in greedy(log_probabilities))


@functools.cache
def find_lip_reader(path: Path | None = None) -> LipReader:
    """The lip reader of the package, or of a file, loaded once a process.

    path: weights of `talker train-evaluator lips` (.safetensors, its .json beside it), or a
    checkpoint of LipNet in PyTorch (see `PUBLISHED`). Raises TalkerError when it is neither.
    """
    if path is None or path.suffix == ".safetensors":
        file = path or shipped(NAME)
        return LipReader(load_evaluator(file, lambda told: from_description(told, str(file))))
    network = LipNet(PUBLISHED)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError as error:
        raise TalkerError(f"there is no {path}: name the file of a lip reader's weights") from error
    except (
        RuntimeError,
        TypeError,
        ValueError,
        EOFError,
        OSError,
        pickle.UnpicklingError,
    ) as error:
        raise TalkerError(
            f"{path} is no checkpoint of LipNet in PyTorch (conv1 ... FC, 64x128 pixels, 28 "
            "characters): take one of the public files, or weights of 'talker train-evaluator lips'"
        ) from error
    return LipReader(network)


def describe(config: LipNetConfig) -> dict:
    """A configuration as JSON; `from_description` builds its network."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(config).items()}


def from_description(described: dict, where: str = "this") -> LipNet:
    """The network of a configuration in JSON, with random weights.

    where: what to call it in the message of the TalkerError that is raised for another network's.
    """
    try:
        values = {n: tuple(v) if isinstance(v, list) else v for n, v in described.items()}
        return LipNet(LipNetConfig(**values))
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise TalkerError(
            f"{where} is of another network than the lip reader ({error}): take weights of "
            "'talker train-evaluator lips'"
        ) from error
