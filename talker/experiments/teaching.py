"""Teach the synchronization discriminator to listen, on real pairs alone.

In a step of Eq. 3 it meets a few mouths with one wrong sound each, and frames of the generator,
whose other faults are easier to find than a wrong sound. Here every snippet of a window is held
against all sounds of that window, which have face, voice and room in common, and the sound that is
its own must be the nearest, and the other way round: S. W. Chung, J. S. Chung, H. G. Kang, "Perfect
match: improved cross-modal embeddings for audio-visual synchronisation", ICASSP 2019, as in
`talker.evaluators.train_synchrony`. The perceptron learns meanwhile what these distances mean, by
Eq. 3 without its generated pairs.

    OUT/judge.safetensors, judge.json    the discriminator, as fp16
    OUT/state.safetensors, log.jsonl     what it takes to go on, and a row a step

All randomness is a function of (seed, step).
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor
from tqdm import tqdm

from talker import losses
from talker.checkpoint import load_network, save_network
from talker.config import Config, to_json
from talker.dataset import Batch, Clips
from talker.devices import Devices
from talker.errors import TalkerError
from talker.journal import Journal
from talker.models.sync_discriminator import SyncDiscriminator
from talker.run_state import load_state, save_state
from talker.store import alone_in, clips
from talker.train import not_finite

STEPS = 600
CLIPS, SNIPPETS = 14, 40  # windows in a step, and snippets in each
RATE, RISE = 1e-3, 50  # Adam's; steps until the full rate, which then falls as a cosine to 0
BELIEF_RATE = 1e-2  # of the perceptron's two numbers
SHARPNESS = 1 / 8  # of the softmax over minus the squared distances
HELD_OUT = 6, 8  # batches, and windows in each, that `hearing` asks about
JUDGE, ABOUT = "judge.safetensors", "judge.json"
SAVE_SECONDS = 120


def windows(data: Clips, rng: np.random.Generator, count: int, snippet: int) -> Batch:
    """Windows of random clips, all their frames decoded: `SNIPPETS` snippets each, fewer where one
    of the clips is shorter."""
    return data.batch(rng, count, SNIPPETS + snippet - 1, "all")


def embedded(judge: SyncDiscriminator, batch: Batch, snippet: int) -> tuple[Tensor, Tensor]:
    """Embeddings (B, K, D) of all snippets of windows, and (B, K, D) of the sounds of these.

    Row k of both is of the same time.
    """
    mouths = batch.frames[..., judge.top :, :].unfold(1, snippet, 1).movedim(-1, 2)
    seen = judge.video(mouths.flatten(0, 1).flatten(1, 2))
    middle = slice(snippet // 2, snippet // 2 + mouths.shape[1])
    return seen.unflatten(0, mouths.shape[:2]), judge.audio(batch.audio_frames[:, middle])


def distances(seen: Tensor, heard: Tensor) -> Tensor:
    """(B, K, D) and (B, K, D) -> Euclidean distance (B, K, K) of each snippet to each sound."""
    return torch.cdist(seen, heard, compute_mode="donot_use_mm_for_euclid_dist")


def shifted_pairs(count: int, snippet: int) -> Tensor:
    """Which of K x K pairs are at least a snippet apart, as `talker.draws.shifted` has them."""
    at = torch.arange(count)
    return (at[:, None] - at).abs() >= snippet


def contrast(apart: Tensor) -> Tensor:
    """Distances (B, K, K) -> cross entropy in nats, of snippets to sounds and of sounds to them."""
    logits = -SHARPNESS * apart.square()
    own = torch.arange(apart.shape[1], device=apart.device).expand(len(apart), -1)
    across = F.cross_entropy(logits.transpose(1, 2), own)
    return (F.cross_entropy(logits, own) + across) / 2


def beliefs(judge: SyncDiscriminator, apart: Tensor, snippet: int) -> tuple[Tensor, Tensor]:
    """Logits (B, K) of the pairs in sync and (B, N) of those that are really out of it."""
    logits = judge.perceptron(apart.unsqueeze(-1)).squeeze(-1)
    far = shifted_pairs(apart.shape[1], snippet).to(apart.device)
    return logits.diagonal(dim1=1, dim2=2), logits[:, far]


@torch.no_grad()
def hearing(judge: SyncDiscriminator, data: Clips) -> dict[str, float]:
    """What a judge, on the CPU, makes of real pairs that it has not learnt from.

    auc: how often it believes more in a pair in sync than in one that is a snippet apart or more;
    in_sync, shifted: its mean beliefs; within_one: the share of snippets whose nearest sound of 40
    is at most one frame off.
    """
    snippet = data.audio.snippet
    right, wrong, hits = [], [], []
    for number in range(HELD_OUT[0]):
        batch = windows(data, np.random.default_rng([9, number]), HELD_OUT[1], snippet)
        apart = distances(*embedded(judge, batch, snippet))
        in_sync, moved = beliefs(judge, apart, snippet)
        right.append(in_sync.flatten())
        wrong.append(moved.flatten())
        off = (apart.argmin(dim=2) - torch.arange(apart.shape[1])).abs()
        hits.append((off <= 1).float().mean().item())
    right, wrong = torch.cat(right), torch.cat(wrong)
    truth = np.repeat([1, 0], [len(right), len(wrong)])
    told = {
        "auc": roc_auc_score(truth, torch.cat([right, wrong]).numpy()),
        "in_sync": right.sigmoid().mean().item(),
        "shifted": wrong.sigmoid().mean().item(),
        "within_one": np.mean(hits),
    }
    return {name: round(float(value), 5) for name, value in told.items()}


def load_judge(out: Path, config: Config) -> SyncDiscriminator:
    """What `teach` wrote. Raises TalkerError: a file is missing, damaged or of other settings."""
    return load_network(out / JUDGE, out / ABOUT, lambda _: _untaught(config))


def _untaught(config: Config) -> SyncDiscriminator:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        return SyncDiscriminator(config.model, config.discriminators)


def teach(config: Config, out: Path) -> SyncDiscriminator:
    """Teach a discriminator of the settings `config`, or go on, or take the one that is there.

    It learns from the training split of the corpus that `config` names, altered as there.
    Raises TalkerError: no corpus, a run of other settings in the folder `out`, another process in
    it, or a loss that is not finite.
    """
    if not (out / ABOUT).exists():
        train = config.train
        data = Clips(
            clips(train.corpus, "train"),
            config.model.audio,
            voices=train.alter_voices,
            pictures=train.alter_pictures,
        )
        described = {"seed": train.seed, "steps": STEPS, "clips": len(data)}
        with alone_in(out):
            judge = _lessons(config, data, out, described)
        shape = {"model": to_json(config.model), "judges": to_json(config.discriminators)}
        save_network(out / JUDGE, out / ABOUT, judge, shape, described)
    return load_judge(out, config)


def _lessons(config: Config, data: Clips, out: Path, described: dict) -> SyncDiscriminator:
    devices, snippet = Devices(config.train), config.model.audio.snippet
    judge = _untaught(config).to(devices.device)
    streams = [*judge.video.parameters(), *judge.audio.parameters()]
    adam = torch.optim.Adam([{"params": streams}, {"params": judge.perceptron.parameters()}])
    state, step = out / "state.safetensors", 0
    if state.exists():
        held = load_state(state, {"judge": judge}, {"adam": adam})
        step = held.pop("step")
        if held != described:
            raise TalkerError(f"{out} holds a run of other settings: use another folder.")
    saved = time.monotonic()
    bar = tqdm(initial=step, total=STEPS, unit="step", desc="listening", mininterval=10)
    with Journal(out, step) as journal, bar:
        while step < STEPS:
            share = min(1, (step + 1) / RISE) * (1 + math.cos(math.pi * step / STEPS)) / 2
            for group, rate in zip(adam.param_groups, (RATE, BELIEF_RATE), strict=True):
                group["lr"] = rate * share
            rng = np.random.default_rng([config.train.seed, 8, step])
            batch = devices.move(windows(data, rng, CLIPS, snippet))
            row = _step(judge, adam, batch, snippet)
            step += 1
            journal.write(step, row)
            problem = not_finite(row, step, out)
            if problem is not None:
                raise TalkerError(problem)
            bar.update()
            if time.monotonic() - saved > SAVE_SECONDS or step == STEPS:
                journal.flush()
                save_state(state, {"judge": judge}, {"adam": adam}, described | {"step": step})
                saved = time.monotonic()
    return judge.cpu()


def _step(
    judge: SyncDiscriminator, adam: torch.optim.Adam, batch: Batch, snippet: int
) -> dict[str, float]:
    began = time.monotonic()
    apart = distances(*embedded(judge, batch, snippet))
    loss = contrast(apart)
    # The streams learn from the contrast alone: Eq. 3 only says what the distances mean.
    in_sync, moved = beliefs(judge, apart.detach(), snippet)
    belief = losses.log_loss_real(in_sync) + losses.log_loss_fake(moved)
    adam.zero_grad(set_to_none=True)
    (loss + belief).backward()
    adam.step()
    seconds = time.monotonic() - began
    return {"contrast": loss.item(), "belief": belief.item(), "seconds": seconds}
