"""How far a generator has come, on performers that it does not train on: lower L1 and synchrony."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from talker.config import Config
from talker.dataset import Batch, Clips
from talker.devices import Devices
from talker.draws import SEQUENCE, centres, gather, shifted
from talker.losses import reconstruction_loss
from talker.models.generator import Generator
from talker.models.sync_discriminator import SyncDiscriminator


@torch.no_grad()
def synchrony(critic: SyncDiscriminator, snippets: Tensor, right: Tensor, wrong: Tensor) -> float:
    """How well one can tell from these mouths which sound is theirs: 1 always, 0.5 by chance only.

    The share of all pairs (snippet, one of its K wrong sounds) in which the discriminator believes
    more in the snippet with its right sound than in the snippet with the wrong one; equal beliefs
    count half. Only the order of beliefs matters: that the discriminator holds all generated
    snippets for fake, or becomes surer over time, changes nothing.

    snippets (N, 5, 3, H, W) in [-1, 1], right (N, window * rate), wrong (N, K, window * rate).
    """
    own = critic(snippets, right)[:, None]
    count = wrong.shape[1]
    others = critic(snippets.repeat_interleave(count, 0), wrong.flatten(0, 1)).unflatten(
        0, (-1, count)
    )
    return ((own > others).float() + (own == others).float() / 2).mean().item()


class Snippets(NamedTuple):
    """Some snippets of a validation: see `Draw`; wrong (B, K) are audio frames out of sync."""

    batch: Batch
    noise: Tensor
    wrong: Tensor


class Validation:
    """Snippets of clips, drawn once: the same at every measurement and in every run of a seed."""

    CHUNKS, CHUNK, WRONG = 12, 8, 4  # 96 snippets, each with four sounds that are not its own

    def __init__(self, clips: Clips, config: Config, devices: Devices) -> None:
        rng = np.random.default_rng([config.train.seed, 6])
        dice = torch.Generator().manual_seed(config.train.seed)
        self._devices, self._chunks = devices, []
        for _ in range(self.CHUNKS):
            batch = clips.batch(rng, self.CHUNK, SEQUENCE, "run")
            length, snippet = batch.audio_frames.shape[1], config.model.audio.snippet
            wrong = [shifted(centres(batch), length, snippet, rng) for _ in range(self.WRONG)]
            noise = torch.randn(self.CHUNK, length, config.model.noise_dim, generator=dice)
            noise = noise * config.model.noise_variance**0.5
            self._chunks.append(Snippets(batch, noise, torch.stack(wrong, dim=1)))

    @torch.no_grad()
    def measure(
        self, generator: Generator, critic: SyncDiscriminator, moving: bool
    ) -> dict[str, float]:
        """Means over the snippets, of a generator in eval mode.

        validation_l1: Eq. 6. validation_sync: `synchrony` of generated snippets.
        validation_sync_real: that of the real ones, what this discriminator can tell at best.
        moving: as in `Showcase.write`.
        """
        rows = []
        for chunk in self._chunks:
            batch, noise, wrong = self._devices.move(chunk)
            z_c, _ = generator.content_encoder(batch.audio_frames)
            z_n, _ = generator.noise_generator(noise)
            code = generator.encode_still(batch.still)
            at = batch.at
            made = generator.decode(code, gather(z_c, at), gather(z_n, at) * moving)
            right = gather(batch.audio_frames, centres(batch)[:, None])[:, 0]
            away = gather(batch.audio_frames, wrong)
            rows.append(
                (
                    reconstruction_loss(batch.frames, made).item(),
                    synchrony(critic, made, right, away),
                    synchrony(critic, batch.frames, right, away),
                )
            )
        names = ("validation_l1", "validation_sync", "validation_sync_real")
        return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
