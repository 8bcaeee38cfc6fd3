"""One step of each phase of training (sections 3.2 and 3.3); the loop around it is `talker.train`.

Phase 1, warm-up: reconstruction only. The decoder gets z_n from the noise encoder, which looks at
the upper half of the real frame, so that L1 may count there too without blurring what audio cannot
know; then the noise generator learns to make such sequences by itself (`talker.noise_prior`).
Phase 2: Eq. 7. Frames made with the noise generator's own z_n are judged by the three
discriminators; L1 is that of the reconstruction with the encoder's z_n, on the lower half (Eq. 6)
and, with a weight of its own, on the upper.
In both, a linear map has to read the lips' shape off z_c.

The paper has one phase and no encoder; chapter 1 of the book tables where we deviate, and why.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from talker import losses, noise_prior
from talker.config import Config
from talker.dataset import Clips, to_unit
from talker.devices import Devices, batch_norms
from talker.draws import Draw, centres, draw_adversarial, draw_warm_up, gather
from talker.emphasis import lower_l1, upper_l1
from talker.models.identity_encoder import IdentityCode
from talker.networks import Networks

Row = dict[str, Tensor]


class Scene(NamedTuple):
    """What the generator makes of a draw: codes of stills and sounds, and frames like the real."""

    draw: Draw
    code: IdentityCode
    z_c: Tensor
    made: Tensor

    @property
    def snippets(self) -> bool:
        """Whether these are snippets, for the sync discriminator, or whole sequences."""
        return self.draw.away is not None

    @property
    def audio(self) -> Tensor:
        """Of each snippet its audio frame (B, window * rate); else of each frame (B, F, ...)."""
        batch = self.draw.batch
        if self.snippets:
            return gather(batch.audio_frames, centres(batch)[:, None])[:, 0]
        return gather(batch.audio_frames, batch.at)


def _belief(logits: Tensor) -> Tensor:
    """Mean probability of being real that a discriminator gives, 0..1."""
    return logits.detach().sigmoid().mean()


class Trainer:
    """One step of each phase, on the devices of this process."""

    def __init__(self, config: Config, devices: Devices | None = None) -> None:
        self.config, self.devices = config, devices or Devices(config.train)
        self.networks = Networks(config, self.devices)
        self.generator, self.modules = self.networks.generator, self.networks.modules

    @torch.no_grad()
    def calibrate(self, data: Clips, batches: int = 8) -> None:
        """Give the generator's batch norms the mean statistics of some random batches."""
        norms = batch_norms(self.generator)
        for norm in norms:
            norm.momentum = None  # a plain mean over the batches
        train = self.config.train
        for number in range(batches):
            rng = np.random.default_rng([train.seed, 5, number])
            batch = data.batch(rng, train.clips, train.frames, train.decoded)
            dice = torch.Generator().manual_seed(number)
            jitter = torch.randn(*batch.at.shape, self.config.model.noise_dim, generator=dice)
            draw = self.devices.move(Draw(batch, jitter))
            with self.devices.autocast():
                self._reconstruct(draw, *self._encoded(draw))
        for norm in norms:
            norm.momentum = 0.1

    def freeze(self) -> None:
        """Batch norm uses its stored statistics from now on."""
        for norm in batch_norms(self.generator):
            norm.eval()

    def draw(self, data: Clips, step: int) -> list[Draw]:
        """This process's parts of a step, on its device."""
        train = self.config.train
        draw = draw_warm_up if step < train.warm_up else draw_adversarial
        first = self.devices.rank * train.accumulate
        parts = range(first, first + train.accumulate)
        return [self.devices.move(draw(data, self.config, step, part)) for part in parts]

    def _encoded(self, draw: Draw) -> tuple[IdentityCode, Tensor]:
        """The stills' codes, and z_c of every audio frame (B, T, content_dim)."""
        z_c, _ = self.generator.content_encoder(draw.batch.audio_frames)
        return self.generator.encode_still(draw.batch.still), z_c

    def _reconstruct(self, draw: Draw, code: IdentityCode, z_c: Tensor) -> Row:
        """L1 of both halves with the z_n that the encoder reads off the real frames.

        And the error of the lips that can be read off z_c, in deviations.
        """
        train, batch = self.config.train, draw.batch
        z_n = self.modules["noise_encoder"](batch.frames, batch.still)
        z_n = z_n + train.noise_jitter * draw.jitter
        made = self.generator.decode(code, gather(z_c, batch.at), z_n)
        lips = F.l1_loss(self.modules["lip_reading"](z_c).float(), batch.lips)
        return self._halves(batch.frames, made) | {"lips": lips}

    def _halves(self, real: Tensor, made: Tensor) -> Row:
        train = self.config.train
        return {
            "l1_lower": lower_l1(real, made, train.mouth_emphasis),
            "l1_upper": upper_l1(real, made, train.eye_emphasis),
        }

    def warm_up_step(self, draws: Sequence[Draw]) -> dict[str, float]:
        """One step of reconstruction; returns its losses and the gradient's norm."""
        self.networks.clear("generator")
        rows = []
        for draw in draws:
            with self.devices.autocast():
                row = self._reconstruct(draw, *self._encoded(draw))
                # The weight of Eq. 7 although there is nothing to weigh against: gradients of the
                # deepest layers are else as small as Adam's epsilon.
                l1 = self.config.losses.l1 * (row["l1_lower"] + row["l1_upper"])
                loss = l1 + self.config.train.lips_weight * row["lips"]
            (loss / len(draws)).backward()
            rows.append(row)
        norms = {"grad_generator": self.networks.descend("generator")}
        self.networks.update_average()
        return self._numbers(rows, norms)

    def adversarial_step(self, draws: Sequence[Draw]) -> dict[str, float]:
        """One step of Eq. 7: first the discriminators, then, against those, the generator.

        Of several draws only one is held in memory at a time: the generator makes its frames twice.
        """
        judges = ("frame", "sequence" if draws[0].away is None else "sync")
        alone, share = len(draws) == 1, 1 / len(draws)
        self.networks.clear(*judges)
        rows = []
        for draw in draws:
            with torch.set_grad_enabled(alone):
                scene = self._imagine(draw)
            rows.append(self._judge(scene, share))
        norms = {f"grad_{name}": self.networks.descend(name) for name in judges}
        self.networks.clear("generator")
        with self.networks.held(*judges):
            for draw, row in zip(draws, rows, strict=True):
                row |= self._persuade(scene if alone else self._imagine(draw), share)
        norms["grad_generator"] = self.networks.descend("generator")
        self.networks.update_average()
        return self._numbers(rows, norms)

    def _imagine(self, draw: Draw) -> Scene:
        with self.devices.autocast():
            code, z_c = self._encoded(draw)
            z_n, _ = self.generator.noise_generator(draw.noise)
            if self.config.train.warm_up:
                # It had its own adversary; these see too few clips to say when to blink.
                z_n = z_n.detach()
            at = draw.batch.at
            return Scene(
                draw, code, z_c, self.generator.decode(code, gather(z_c, at), gather(z_n, at))
            )

    def _judge(self, scene: Scene, share: float) -> Row:
        """Gradients of the discriminators, of Eq. 2 and Eq. 3 or 4, and what they believe."""
        draw, made = scene.draw, scene.made.detach()
        batch, real = draw.batch, draw.batch.frames
        with self.devices.autocast():
            pairs = torch.cat([gather(real, draw.judged), gather(made, draw.judged)])
            scores = self.modules["frame"](pairs, torch.cat([batch.still, batch.still]))
            on_real, on_made = scores.chunk(2)
            frame = losses.frame_discriminator_loss(on_real, on_made)
            row = {"frame_loss": frame, "frame_real": _belief(on_real)}
            row["frame_fake"] = _belief(on_made)
            second, more = (
                self._judge_sync(scene) if scene.snippets else self._judge_sequence(scene)
            )
        ((frame + second) * share).backward()
        return row | more

    def _judge_sequence(self, scene: Scene) -> tuple[Tensor, Row]:
        critic, real = self.modules["sequence"], scene.draw.batch.frames
        on_real, on_made = critic(real, scene.audio), critic(scene.made.detach(), scene.audio)
        loss = losses.sequence_discriminator_loss(on_real, on_made)
        beliefs = {"sequence_real": _belief(on_real), "sequence_fake": _belief(on_made)}
        return loss, {"sequence_loss": loss, **beliefs}

    def _judge_sync(self, scene: Scene) -> tuple[Tensor, Row]:
        real, made, right = scene.draw.batch.frames, scene.made.detach(), scene.audio
        wrong = gather(scene.draw.batch.audio_frames, scene.draw.away[:, None])[:, 0]
        in_sync, moved, generated = self.modules["sync"](
            torch.cat([real, real, made]), torch.cat([right, wrong, right])
        ).chunk(3)
        loss = losses.sync_discriminator_loss(in_sync, moved, generated)
        return loss, {
            "sync_loss": loss,
            "sync_real": _belief(in_sync),
            "sync_shifted": _belief(moved),
            "sync_fake": _belief(generated),
        }

    def _persuade(self, scene: Scene, share: float) -> Row:
        """Gradients of the generator, of Eq. 7."""
        train, weights, batch = self.config.train, self.config.losses, scene.draw.batch
        with self.devices.autocast():
            if train.warm_up:
                row = self._reconstruct(scene.draw, scene.code, scene.z_c)
            else:  # the paper's: L1 on the frames that are judged, and no encoder
                row = self._halves(batch.frames, scene.made) | {"lips": scene.made.new_zeros(())}
            seen = gather(scene.made, scene.draw.judged)
            row["img"] = losses.frame_generator_loss(self.modules["frame"](seen, batch.still))
            if scene.snippets:
                row["sync"] = losses.sync_generator_loss(
                    self.modules["sync"](scene.made, scene.audio)
                )
            else:
                row["seq"] = losses.sequence_generator_loss(
                    self.modules["sequence"](scene.made, scene.audio)
                )
            none = scene.made.new_zeros(())
            adversarial = losses.adversarial_loss(
                row["img"], row.get("sync", none), row.get("seq", none), weights
            )
            l1 = row["l1_lower"] + train.upper_weight * row["l1_upper"]
            loss = losses.generator_loss(adversarial, l1, weights) + train.lips_weight * row["lips"]
        (loss * share).backward()
        ratio = weights.l1 * row["l1_lower"] / adversarial.clamp(min=1e-6)
        return row | {"l1_to_adversarial": ratio}

    def _numbers(self, rows: list[Row], norms: Row) -> dict[str, float]:
        """Means over the rows, and the norms, fetched from the device at once."""
        names = [*rows[0], *norms]
        means = [
            torch.stack([row[name].detach().float() for row in rows]).mean() for name in rows[0]
        ]
        return dict(zip(names, torch.stack([*means, *norms.values()]).tolist(), strict=True))

    @torch.no_grad()
    def noise_sequences(self, data: Clips, count: int) -> Tensor:
        """z_n (N, T, noise_dim) that the encoder reads off `count` whole clips, spread over all."""
        rows = []
        for chosen in np.linspace(0, len(data) - 1, min(count, len(data))).astype(int):
            frames = self.devices.move(to_unit(data.frames[chosen])[None])
            rows.append(self.modules["noise_encoder"](frames, frames[:, 0]).cpu())
        return torch.cat(rows)

    def fit_noise(self, data: Clips, steps: int) -> float:
        """Fit the noise generator to the real sequences; returns `noise_prior.distance`.

        On the CPU: a GRU of a few cells is faster there.
        """
        fitted = copy.deepcopy(self.generator.noise_generator).cpu()
        sequences = self.noise_sequences(data, 400)
        distance = noise_prior.fit(fitted, sequences, steps, self.config.train.seed)
        both = [g.noise_generator for g in (self.generator, self.networks.average)]
        for noise_generator in both:
            noise_generator.load_state_dict(fitted.state_dict())
        self.devices.share(both)
        return distance
