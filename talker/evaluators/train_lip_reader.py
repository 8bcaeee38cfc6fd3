"""Train the lip reader on the training performers of stored corpora.

    talker train-evaluator lips data/performers --out runs/lips

LipNet learns from transcripts alone, through connectionist temporal classification, of some ten
thousands of clips. Some hundred are enough with three more things that a corpus can say:

    words of each frame    a path of labels that spells the sentence, so the same output learns it
    visemes of each frame  what many words share; read from the first GRU, where phonemes are known
    shape of the lips      opening, width, height and jaw; read from the convolutions

Batch norm after each convolution is made part of its weights when the network is saved. The network
is never shown generated video, nor performers of another split; the validation performers' clips
are read for the log and change nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from tqdm import tqdm

from talker.errors import TalkerError
from talker.evaluators.lip_reader import (
    NAME,
    LipNet,
    LipNetConfig,
    LipReader,
    as_input,
    cut_mouths,
    describe,
)
from talker.evaluators.weights import save_evaluator
from talker.journal import Journal
from talker.metrics.landmarks import lip_shape
from talker.metrics.lipreading import is_readable, word_error_rate
from talker.run_state import load_state, save_state
from talker.store import FPS, StoredClip, clips, forget_half_written, read_frames
from talker.studio.grammar import SLOTS, WORDS
from talker.studio.visemes import VISEMES, visemes_of

STEPS = 4000
CLIPS, FRAMES = 8, 75  # of a step
RATE, DECAY, RISE = 1.5e-3, 0.03, 50  # AdamW's rate and weight decay; steps until the full rate
DROPOUT, CLIPPED = 0.3, 5.0  # share of features; largest norm of a gradient
WEIGHTS = {"ctc": 0.3, "words": 1.0, "visemes": 1.0, "shape": 1.0}
MARGIN = 8  # pixels about the mouth that are kept to frame it differently
TEMPO, DELAY, SLIP = (-0.1, 0.25), 5.0, 0.05  # relative speed; frames; share of frames shown late
SHIFT, TURN, ZOOM = 4.0, 6.0, 0.2  # pixels, degrees, octaves (of width and of height)
GAMMA, SHADE = 0.8, 0.5  # octaves; change of brightness from edge to edge, as a share
BLUR, GRAIN = 1.5, 8.0  # pixels; levels of brightness
LOG_EVERY, SAVE_SECONDS = 20, 60

_WORDS = {word: number for number, word in enumerate(WORDS, start=1)}
_VISEMES = {name: number for number, name in enumerate(VISEMES, start=1)}
_UNKNOWN = -100  # the label that cross entropy leaves out


@dataclass(frozen=True)
class Reading:
    """A clip to learn from: mouths uint8 (T, H + 16, W + 16), labels (T), lip shape (T, 4).

    words and visemes are 0 in silence; visemes are all `_UNKNOWN` where no phonemes are known.
    sentence (6): labels of the words.
    """

    mouths: np.ndarray
    words: np.ndarray
    visemes: np.ndarray
    shape: np.ndarray
    sentence: np.ndarray


def reading(clip: StoredClip, config: LipNetConfig) -> Reading | None:
    """A clip of a sentence of GRID with the times of its words; None for any other."""
    truth = clip.truth
    spoken = truth.get("words", [])
    said = [word["text"] for word in spoken]
    if len(said) != len(SLOTS) or any(w not in slot for w, slot in zip(said, SLOTS, strict=True)):
        return None
    mouths = cut_mouths(read_frames(clip.video), config, MARGIN)
    frames = len(mouths)
    words = _by_frame([(w["text"], w["start"], w["end"]) for w in spoken], _WORDS, frames)
    visemes = np.full(frames, _UNKNOWN)
    if "phonemes" in truth:
        visemes = _by_frame(_mouth_shapes(truth["phonemes"]), _VISEMES, frames)
    shape = lip_shape(np.asarray(truth["landmarks"]))
    return Reading(mouths, words, visemes, shape, np.array([_WORDS[word] for word in said]))


def _mouth_shapes(phonemes: list[dict]) -> list[tuple[str, float, float]]:
    """Visemes with their seconds; those of a diphthong share its time equally."""
    shapes = []
    for phoneme in phonemes:
        names = visemes_of(phoneme["symbol"])
        times = np.linspace(phoneme["start"], phoneme["end"], len(names) + 1)
        shapes += zip(names, times[:-1], times[1:], strict=True)
    return shapes


def _by_frame(spans: list[tuple[str, float, float]], labels: dict[str, int], frames: int):
    """The label of each frame (T,), 0 between spans; every span has at least a frame."""
    line = np.zeros(frames, np.int64)
    for name, start, end in spans:
        first = round(start * FPS)
        line[first : max(round(end * FPS), first + 1)] = labels[name]
    return line


@dataclass(frozen=True)
class Lesson:
    """What a step learns from: mouths (B, 1, T, H, W) and the truth, as in `Reading`."""

    mouths: Tensor
    words: Tensor
    visemes: Tensor
    shape: Tensor
    sentence: Tensor


def lesson(readings: Sequence[Reading], config: LipNetConfig, rng: np.random.Generator) -> Lesson:
    """`CLIPS` clips drawn at random, each spoken, framed and filmed a little differently."""
    rows = []
    for number in rng.choice(len(readings), CLIPS, replace=len(readings) < CLIPS):
        one = readings[number]
        at = _another_time(len(one.mouths), rng)
        mouths = as_input(_another_mouth(one.mouths[at], config.size, rng), config)
        rows.append((mouths, one.words[at], one.visemes[at], one.shape[at], one.sentence))
    mouths, *truth = zip(*rows, strict=True)
    return Lesson(torch.stack(mouths), *(torch.from_numpy(np.stack(part)) for part in truth))


def _another_time(length: int, rng: np.random.Generator) -> np.ndarray:
    """Which frame to show at each of `FRAMES`: faster or slower, sooner or later, with slips."""
    middle = np.arange(FRAMES) - (FRAMES - 1) / 2
    at = middle * (1 + rng.uniform(*TEMPO)) + rng.uniform(-DELAY, DELAY)
    at = np.rint(at + (length - 1) / 2).astype(int) - (rng.random(FRAMES) < SLIP)
    return at.clip(0, length - 1)


def _another_mouth(
    mouths: np.ndarray, size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Mouths (T, H + 16, W + 16) uint8 -> (T, H, W) float32 of another face in another light.

    All alike: moved, turned, stretched and mirrored; a gamma, a shadow, a blur; then grain.
    """
    move = cv2.getRotationMatrix2D(
        ((mouths.shape[2] - 1) / 2, (mouths.shape[1] - 1) / 2), rng.uniform(-TURN, TURN), 1.0
    )
    middle = np.array([size[1] - 1, size[0] - 1]) / 2 + rng.uniform(-SHIFT, SHIFT, 2)
    stretch = 2 ** rng.uniform(-ZOOM, ZOOM, 2) * (1 if rng.random() < 0.5 else (-1, 1))
    centre = (np.array(mouths.shape[2:0:-1]) - 1) / 2
    move[:, 2] -= centre  # the turn leaves the centre in place; stretch about it
    move = stretch[:, None] * move
    move[:, 2] += middle
    levels = 255 * np.linspace(0, 1, 256) ** 2 ** rng.uniform(-GAMMA, GAMMA)
    across, down = (np.linspace(-0.5, 0.5, side) for side in size[::-1])
    slope = rng.uniform(-SHADE, SHADE, 2)
    light = (1 + slope[0] * across + slope[1] * down[:, None]).astype(np.float32)
    blur = rng.uniform(0.3, BLUR) if rng.random() < 0.5 else 0.0
    made = []
    for image in mouths:
        image = cv2.warpAffine(image, move, size[::-1], borderMode=cv2.BORDER_REPLICATE)
        image = levels.astype(np.float32)[image] * light
        made.append(cv2.GaussianBlur(image, (0, 0), blur) if blur else image)
    grain = np.float32(rng.uniform(0, GRAIN))
    return np.stack(made) + grain * rng.standard_normal((len(made), *size), dtype=np.float32)


class Learner(nn.Module):
    """LipNet with what only training needs: batch norm, dropout, and the two other outputs."""

    def __init__(self, config: LipNetConfig) -> None:
        super().__init__()
        self.lip_net = LipNet(config)
        self.norms = nn.ModuleList(nn.BatchNorm3d(count) for count in config.channels)
        self.dropout = nn.Dropout(DROPOUT)
        self.visemes = nn.Linear(2 * config.hidden, 1 + len(VISEMES))
        self.shape = nn.Linear(self.lip_net.gru1.input_size, 4)

    def forward(self, mouths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 1, T, H, W) -> log probabilities of words, visemes' scores, shape: (T, B, ...)."""
        net = self.lip_net
        with torch.autocast("cpu", torch.bfloat16):
            for convolution, norm in zip(net.convolutions, self.norms, strict=True):
                mouths = F.max_pool3d(F.relu(norm(convolution(mouths))), (1, 2, 2))
        features = mouths.permute(2, 0, 1, 3, 4).flatten(2).float()
        first = self.dropout(net.gru1(self.dropout(features))[0])
        second = self.dropout(net.gru2(first)[0])
        return net.FC(second).log_softmax(-1), self.visemes(first), self.shape(features)

    def finished(self) -> LipNet:
        """The network as it is saved and used, its batch norms made part of the convolutions."""
        made = LipNet(self.lip_net.config).eval()
        made.load_state_dict(self.lip_net.state_dict())
        for one, norm in zip(made.convolutions, self.norms, strict=True):
            one.weight, one.bias = fuse_conv_bn_weights(
                *(one.weight, one.bias, norm.running_mean, norm.running_var),
                *(norm.eps, norm.weight, norm.bias),
            )
        return made


def losses(learner: Learner, given: Lesson, scale: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """Each term of the loss, unweighted; scale: mean and deviation (4,) of the shape."""
    words, visemes, shape = learner(given.mouths)
    clips, frames = given.words.shape
    spelled = torch.full((clips,), given.sentence.shape[1])
    known = F.cross_entropy(
        visemes.flatten(0, 1), given.visemes.T.flatten(), ignore_index=_UNKNOWN, reduction="sum"
    )
    wanted = ((given.shape - scale[0]) / scale[1]).transpose(0, 1)
    return {
        "ctc": F.ctc_loss(words, given.sentence, torch.full((clips,), frames), spelled),
        "words": F.nll_loss(words.flatten(0, 1), given.words.T.flatten()),
        "visemes": known / (clips * frames),
        "shape": F.smooth_l1_loss(shape, wanted),
    }


def train(
    corpora: Sequence[Path],
    out: Path,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
) -> Path:
    """Train for `steps` steps, at most so many minutes in this call; returns the weights' path.

    The same command goes on where a run was left: `out` holds its state, its log and, at the end
    of a call, `lip_reader.safetensors`. The same settings give the same bytes.

    Raises:
        TalkerError: a corpus has no clip for training with a sentence of GRID and its words' times,
            or `out` holds a run with other settings.
    """
    steps, out, config = STEPS if steps is None else steps, Path(out), LipNetConfig()
    stored = [clip for corpus in corpora for clip in clips(corpus, "train")]
    bar = tqdm(stored, desc="reading", unit="clip", mininterval=10)
    readings = [one for clip in bar if (one := reading(clip, config)) is not None]
    if not readings:
        raise TalkerError(
            f"{', '.join(map(str, corpora))} has no sentence of GRID with the times of its words: "
            "render one with 'talker render --sentences grid'."
        )
    shapes = np.concatenate([one.shape for one in readings])
    scale = torch.from_numpy(shapes.mean(axis=0)), torch.from_numpy(shapes.std(axis=0))
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    learner = Learner(config).to(memory_format=torch.channels_last_3d)
    optimiser = torch.optim.AdamW(learner.parameters(), weight_decay=DECAY, fused=True)
    described = {"seed": seed, "steps": steps, "clips": len(readings)}
    state, step = out / "state.safetensors", 0
    if state.exists():
        counters = load_state(state, {"learner": learner}, {"adam": optimiser})
        step = counters.pop("step")
        if counters != described:
            raise TalkerError(
                f"{out} holds a run with other settings ({counters}): use another --out."
            )
        forget_half_written(out)

    def keep() -> None:
        save_state(state, {"learner": learner}, {"adam": optimiser}, described | {"step": step})

    began = saved = time.monotonic()
    bar = tqdm(initial=step, total=steps, unit="step", desc="training", mininterval=10)
    with Journal(out, step) as journal, bar:
        while step < steps and (minutes is None or time.monotonic() - began < 60 * minutes):
            for group in optimiser.param_groups:
                group["lr"] = RATE * min(
                    (step + 1) / RISE, (1 + math.cos(math.pi * step / steps)) / 2
                )
            torch.manual_seed(seed * 1_000_003 + step)  # of dropout
            given = lesson(readings, config, np.random.default_rng([seed, step]))
            terms = losses(learner, given, scale)
            optimiser.zero_grad(set_to_none=True)
            sum(WEIGHTS[name] * term for name, term in terms.items()).backward()
            nn.utils.clip_grad_norm_(learner.parameters(), CLIPPED)
            optimiser.step()
            step += 1
            bar.update()
            if step % LOG_EVERY == 0:
                journal.write(step, {name: term.item() for name, term in terms.items()})
            if time.monotonic() - saved > SAVE_SECONDS:
                journal.flush()
                keep()
                saved = time.monotonic()
    keep()
    network = learner.finished()
    weights = out / f"{NAME}.safetensors"
    held_out = [clip for corpus in corpora for clip in clips(corpus) if clip.split == "validation"]
    extra = described | {"step": step, "validation_wer": validation_wer(network, held_out)}
    save_evaluator(weights, network, describe(config), extra)
    return weights


def validation_wer(network: LipNet, held_out: Sequence[StoredClip]) -> float | None:
    """Mean word error rate on clips that nothing was learnt from; None where there are none."""
    reader, rates = LipReader(network), []
    for clip in held_out:
        said = clip.truth.get("text")
        if is_readable(said):
            rates.append(word_error_rate(said, reader.read(read_frames(clip.video))))
    return round(float(np.mean(rates)), 4) if rates else None
