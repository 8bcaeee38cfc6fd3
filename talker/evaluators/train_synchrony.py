"""Train the synchrony evaluator on the training performers of stored corpora.

    talker train-evaluator sync data/performers --out runs/synchrony

For every five frames of a window the sound that belongs to them must be nearer than all other
sounds of that window, and the other way round: S. W. Chung, J. S. Chung, H. G. Kang, "Perfect
match: improved cross-modal embeddings for audio-visual synchronisation", ICASSP 2019. All negatives
are of the same clip, so that neither the voice nor the face nor the room helps to tell them apart.

Real voices and faces are unlike rendered ones: each window is heard in another voice and seen in
other light, framed and focused differently (`talker.augmentation`). The network is never shown
generated video, nor the performers for validation, whose clips only set `SyncNetConfig.scale`.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from talker.audio import audio_frames
from talker.augmentation import another_picture, another_voice
from talker.errors import TalkerError
from talker.evaluators.synchrony import (
    AUDIO,
    SIZE,
    SNIPPET,
    SyncNet,
    SyncNetConfig,
    cepstra,
    grey,
    mouths,
    snippets,
)
from talker.evaluators.weights import save_evaluator
from talker.journal import Journal
from talker.metrics.synchrony import SHORTEST, offset_and_confidence
from talker.run_state import load_state, save_state
from talker.store import FPS, StoredClip, clips, forget_half_written, read_frames, read_sound

STEPS = 1200
CLIPS, FRAMES = 14, 44  # windows in a step, and frames in each: 40 snippets
RATE, DECAY, RISE = 2e-3, 0.05, 100  # AdamW's rate and weight decay; steps until the full rate
SHARPNESS = 10.0  # of the softmax over squared distances between unit vectors
MARGIN = 6  # pixels about the mouth that are kept to frame it differently
ZOOM, SHIFT = 5, 4  # pixels by which the side of the square and its place differ at most
BLUR, GRAIN = 1.5, 5.0  # largest deviation of a Gaussian blur in pixels, and of noise in levels
SAVE_SECONDS = 60
UNRELATED = 0.975  # share of unrelated clips whose confidence is to be below 0.5


class Talks:
    """Mouths and sounds of clips in memory: 12 KB a frame."""

    def __init__(self, stored: Sequence[StoredClip]) -> None:
        self.mouths, self.sounds = [], []
        for clip in tqdm(stored, desc="reading", unit="clip", mininterval=10):
            seen = mouths(read_frames(clip.video), MARGIN)
            if len(seen) >= FRAMES:
                self.mouths.append(np.ascontiguousarray(seen))
                self.sounds.append(read_sound(clip.audio))
        if not self.mouths:
            raise TalkerError(
                f"no clip for training has {FRAMES} frames: render or prepare longer ones."
            )

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Windows of different clips: snippets (B, K, 5, 48, 48) and cepstra (B, K, 13, 20)."""
        seen, heard = [], []
        for chosen in rng.choice(len(self.mouths), CLIPS, replace=len(self.mouths) < CLIPS):
            video, sound = self.mouths[chosen], torch.from_numpy(self.sounds[chosen])
            start = int(rng.integers(len(video) - FRAMES + 1))
            shown = another_picture(video[start : start + FRAMES], rng)
            seen.append(torch.from_numpy(_filmed_anew(grey(shown), rng)))
            if rng.random() < 0.2:
                cut = audio_frames(sound, AUDIO, len(video))
            else:
                cut = another_voice(sound, AUDIO, len(video), rng)
            margin = SNIPPET // 2
            heard.append(cepstra(cut)[start + margin : start + FRAMES - margin])
        return snippets(torch.stack(seen)), torch.stack(heard)


def _filmed_anew(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grey mouths uint8 (T, 60, 60) -> float32 (T, 48, 48): mirrored, cut, blurred, with grain."""
    side = SIZE + int(rng.integers(-ZOOM, ZOOM + 1))
    room = images.shape[1] - side
    left, top = (int(np.clip(room // 2 + rng.integers(-SHIFT, SHIFT + 1), 0, room)) for _ in "xy")
    cut = images[:, top : top + side, left : left + side]
    if rng.random() < 0.5:
        cut = cut[:, :, ::-1]
    blur = rng.uniform(0, BLUR) if rng.random() < 0.5 else 0.0
    made = []
    for image in cut:
        image = cv2.resize(np.ascontiguousarray(image), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        made.append(cv2.GaussianBlur(image, (0, 0), blur) if blur > 0.3 else image)
    grain = rng.standard_normal((len(made), SIZE, SIZE), dtype=np.float32)
    return np.stack(made).astype(np.float32) + np.float32(rng.uniform(0, GRAIN)) * grain


def contrastive_loss(seen: Tensor, heard: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors (B, K, D) of pictures and of sounds, row k of both simultaneous -> loss, share.

    Cross entropy of a softmax over minus `SHARPNESS` times the squared distances, of each picture
    to the K sounds of its window and of each sound to the K pictures; the share is that of pictures
    whose nearest sound is at most one frame off.
    """
    logits = 2 * SHARPNESS * (seen @ heard.transpose(1, 2))  # squared distance: 2 - 2 cosines
    count = logits.shape[1]
    own = torch.arange(count).expand(len(logits), -1)
    loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.transpose(1, 2), own)) / 2
    share = ((logits.argmax(dim=2) - own).abs() <= 1).float().mean()
    return loss, share


def train(
    corpora: Sequence[Path],
    out: Path,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
) -> Path:
    """Train for `steps` steps, at most so many minutes in this call; returns the weights' path.

    The same command goes on where a run was left: `out` holds its state, its log and, at the end
    of a call, `synchrony.safetensors`. The same settings give the same bytes.

    Raises:
        TalkerError: a corpus has no clips for training or for validation, they are too short, the
            latter are all of one speaker, or `out` holds a run with other settings or corpora.
    """
    steps, out = STEPS if steps is None else steps, Path(out)
    kept = [clip for corpus in corpora for clip in clips(corpus, "train")]
    held_out = [clip for corpus in corpora for clip in clips(corpus, "validation")]
    held_out = [clip for clip in held_out if _frames(clip) >= SHORTEST]
    _strangers(held_out)  # better said now than after hours
    torch.manual_seed(seed)
    network = SyncNet(SyncNetConfig()).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=DECAY, fused=True)
    named = [Path(corpus).resolve().name for corpus in corpora]
    described = {"seed": seed, "steps": steps, "corpora": named, "clips": len(kept)}
    step = 0
    state = out / "state.safetensors"
    if state.exists():
        counters = load_state(state, {"network": network}, {"adam": optimiser})
        step = counters.pop("step")
        if counters != described:
            raise TalkerError(
                f"{out} holds a run with other settings ({counters}): use another --out."
            )
    out.mkdir(parents=True, exist_ok=True)
    forget_half_written(out)
    data = Talks(kept)
    until = time.monotonic() + 60 * minutes if minutes is not None else math.inf
    saved = time.monotonic()
    bar = tqdm(initial=step, total=steps, unit="step", desc="synchrony", mininterval=10)
    with Journal(out, step) as journal, bar:
        while step < steps and time.monotonic() < until:
            rng = np.random.default_rng([seed, 5, step])
            row = _step(network, optimiser, data.batch(rng), _rate(step, steps))
            step += 1
            journal.write(step, row)
            bar.update()
            if time.monotonic() - saved > SAVE_SECONDS:
                journal.flush()
                save_state(
                    state, {"network": network}, {"adam": optimiser}, described | {"step": step}
                )
                saved = time.monotonic()
    save_state(state, {"network": network}, {"adam": optimiser}, described | {"step": step})
    finished = calibrated(network.eval(), held_out)
    extra = described | {"step": step, "speakers": _speakers(kept)}
    path = out / "synchrony.safetensors"
    save_evaluator(path, finished, dataclasses.asdict(finished.config), extra)
    return path


def _rate(step: int, steps: int) -> float:
    """Rises in a line, then falls as a cosine to 0 at the end."""
    return RATE * min(1, (step + 1) / RISE) * (1 + math.cos(math.pi * step / steps)) / 2


def _step(
    network: SyncNet, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], rate: float
) -> dict[str, float]:
    for group in optimiser.param_groups:
        group["lr"] = rate
    shown, sounds = batch
    with torch.autocast("cpu", torch.bfloat16):
        seen = network.see(shown.flatten(0, 1).contiguous(memory_format=torch.channels_last))
        heard = network.hear(sounds.flatten(0, 1))
    shape = (*shown.shape[:2], -1)
    loss, share = contrastive_loss(seen.view(shape), heard.view(shape))
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return {"loss": loss.item(), "within_one": share.item(), "rate": rate}


def _frames(clip: StoredClip) -> int:
    """As many as its sound is long; no picture is decoded."""
    return len(read_sound(clip.audio)) * FPS // AUDIO.rate


def _speakers(stored: Sequence[StoredClip]) -> int:
    return len({(clip.video.parents[1], clip.speaker) for clip in stored})


def embedded(network: SyncNet, stored: Sequence[StoredClip]) -> list[tuple[Tensor, Tensor]]:
    """The embeddings of clips, see `SynchronyNetwork.embed`."""
    return [network.embed(read_frames(clip.video), read_sound(clip.audio)) for clip in stored]


def unrelated(stored: Sequence[StoredClip], count: int = 3) -> list[tuple[int, int]]:
    """Pairs (picture, sound) of numbers of clips of different speakers, `count` for each clip."""
    pairs = []
    for number, clip in enumerate(stored):
        others = [i for i, other in enumerate(stored) if other.speaker != clip.speaker]
        spread = np.linspace(0, len(others), count, endpoint=False).astype(int) if others else []
        pairs += [(number, others[(at + number) % len(others)]) for at in spread]
    return pairs


def _strangers(held_out: Sequence[StoredClip]) -> list[tuple[int, int]]:
    """Pairs as `unrelated` has them. Raises TalkerError without any."""
    pairs = unrelated(held_out)
    if not pairs:
        raise TalkerError(
            f"the scale of confidences takes clips of {SHORTEST} frames of two speakers for "
            "validation at least: render or prepare more speakers, or longer clips."
        )
    return pairs


def confidences(
    made: Sequence[tuple[Tensor, Tensor]], pairs: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Confidence of each pair (picture, sound), as long as the shorter of the two."""
    found = []
    for picture, sound in pairs:
        seen, heard = made[picture][0], made[sound][1]
        length = min(len(seen), len(heard))
        found.append(offset_and_confidence(seen[:length], heard[:length])[1])
    return np.array(found)


def calibrated(network: SyncNet, held_out: Sequence[StoredClip]) -> SyncNet:
    """The network with the scale at which 97.5 % of unrelated held-out clips are below 0.5.

    The paper takes a confidence below 0.5 for uncorrelated; distances of another network need
    another unit for that to hold. Raises TalkerError when all clips are of one speaker.
    """
    pairs = _strangers(held_out)
    measured = confidences(embedded(network, held_out), pairs)
    scale = network.config.scale * 0.5 / float(np.nanquantile(measured, UNRELATED))
    network.config = dataclasses.replace(network.config, scale=round(scale, 4))
    return network
