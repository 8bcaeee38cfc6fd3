"""One step of each phase of training (sections 3.2 and 3.3); the loop around it is `talker.train`.

Phase 1, warm-up: reconstruction only. The decoder gets z_n from the noise encoder, which looks at
the upper half of the real frame, so that L1 may count there too without blurring what audio cannot
know; then the noise generator learns to make such sequences by itself (`talker.noise_prior`).
Phase 2: Eq. 7. Frames made with the noise generator's own z_n are judged by the three
discriminators; L1 is that of the reconstruction with the encoder's z_n, on the lower half (Eq. 6)
and, with weights of their own, on the eyes; the rest of the upper half is held to the still, and
the frame discriminator need not see it.
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
from talker.dataset import Batch, Clips, to_unit
from talker.devices import Devices, batch_norms
from talker.draws import Draw, centres, draw_adversarial, draw_warm_up, gather
from talker.emphasis import eyes_l1, lower_l1, still_l1, upper_l1, with_rest_of
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
                self._reconstruct(draw, *self._encoded(draw), self._read_noise(draw))
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

    def _read_noise(self, draw: Draw) -> Tensor:
        """The z_n (B, F, noise_dim) that the encoder reads off the real frames, a little shaken."""
        z_n = self.modules["noise_encoder"](draw.batch.frames, draw.batch.still)
        return z_n + self.config.train.noise_jitter * draw.jitter

    def _reconstruct(self, draw: Draw, code: IdentityCode, z_c: Tensor, z_n: Tensor) -> Row:
        """L1 of both halves and of the eyes, and of the lips read off z_c, in deviations."""
        batch = draw.batch
        made = self.generator.decode(code, gather(z_c, batch.at), z_n)
        lips = F.l1_loss(self.modules["lip_reading"](z_c).float(), batch.lips)
        return self._halves(batch, made) | {"lips": lips}

    def _halves(self, batch: Batch, made: Tensor) -> Row:
        real, train = batch.frames, self.config.train
        return {
            "l1_lower": lower_l1(real, made, train.mouth_emphasis),
            "l1_upper": upper_l1(real, made, train.eye_emphasis),
            "l1_eyes": eyes_l1(real, made),
            "l1_still": still_l1(batch.still, made),
        }

    def warm_up_step(self, draws: Sequence[Draw]) -> dict[str, float]:
        """One step of reconstruction; returns its losses and the gradient's norm."""
        self.networks.clear("generator")
        rows = []
        for draw in draws:
            loss, row = self.reconstruct(draw)
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
        alone = len(draws) == 1
        self.networks.clear(*judges)
        rows: list[Row] = [{} for _ in draws]
        for draw, row in zip(draws, rows, strict=True):
            with torch.set_grad_enabled(alone):
                scene = self.imagine(draw)
            for name in judges:
                loss, told = self.judge(name, scene)
                (loss / len(draws)).backward()
                row |= told
        norms = {f"grad_{name}": self.networks.descend(name) for name in judges}
        self.networks.clear("generator")
        with self.networks.held(*judges):
            for draw, row in zip(draws, rows, strict=True):
                loss, told = self.persuade(scene if alone else self.imagine(draw))
                (loss / len(draws)).backward()
                row |= told
        norms["grad_generator"] = self.networks.descend("generator")
        self.networks.update_average()
        return self._numbers(rows, norms)

    # Autocast begins and ends within each of the following: it keeps rounded copies of weights
    # until it ends, and the generator has to meet the discriminators as they are after their step.

    def reconstruct(self, draw: Draw) -> tuple[Tensor, Row]:
        """The loss of the warm-up, and its terms."""
        with self.devices.autocast():
            row = self._reconstruct(draw, *self._encoded(draw), self._read_noise(draw))
            # The weight of Eq. 7 although there is nothing to weigh against: gradients of the
            # deepest layers are else as small as Adam's epsilon.
            l1 = self.config.losses.l1 * (row["l1_lower"] + row["l1_upper"])
            return l1 + self.config.train.lips_weight * row["lips"], row

    def imagine(self, draw: Draw) -> Scene:
        """What the generator makes of a draw with its own noise."""
        with self.devices.autocast():
            code, z_c = self._encoded(draw)
            z_n, _ = self.generator.noise_generator(draw.noise)
            if self.config.train.warm_up:
                # It had its own adversary; these see too few clips to say when to blink.
                z_n = z_n.detach()
            at = draw.batch.at
            made = self.generator.decode(code, gather(z_c, at), gather(z_n, at))
            return Scene(draw, code, z_c, made)

    def judge(self, name: str, scene: Scene) -> tuple[Tensor, Row]:
        """The loss of a discriminator, Eq. 2, 3 or 4, and what it believes."""
        judges = {
            "frame": self._judge_frames,
            "sequence": self._judge_sequence,
            "sync": self._judge_sync,
        }
        with self.devices.autocast():
            loss, beliefs = judges[name](scene.draw, scene.made.detach(), scene.audio)
            means = {key: logits.detach().sigmoid().mean() for key, logits in beliefs.items()}
            return loss, {f"{name}_loss": loss, **means}

    def _logits(self, critic: str, seen: Tensor, condition: Tensor) -> Tensor:
        """What a discriminator says, float32 in any precision: losses of 8 bits are too coarse."""
        return self.modules[critic](seen, condition).float()

    def _seen(self, draw: Draw, frames: Tensor) -> Tensor:
        """The few frames of a draw's that the frame discriminator is shown."""
        few = gather(frames, draw.judged)
        return few if self.config.train.judge_rest else with_rest_of(draw.batch.still, few)

    def _judge_frames(self, draw: Draw, made: Tensor, _: Tensor) -> tuple[Tensor, Row]:
        pairs = torch.cat([self._seen(draw, draw.batch.frames), self._seen(draw, made)])
        stills = torch.cat([draw.batch.still, draw.batch.still])
        on_real, on_made = self._logits("frame", pairs, stills).chunk(2)
        loss = losses.frame_discriminator_loss(on_real, on_made)
        return loss, {"frame_real": on_real, "frame_fake": on_made}

    def _judge_sequence(self, draw: Draw, made: Tensor, audio: Tensor) -> tuple[Tensor, Row]:
        on_real = self._logits("sequence", draw.batch.frames, audio)
        on_made = self._logits("sequence", made, audio)
        loss = losses.sequence_discriminator_loss(on_real, on_made)
        return loss, {"sequence_real": on_real, "sequence_fake": on_made}

    def _judge_sync(self, draw: Draw, made: Tensor, right: Tensor) -> tuple[Tensor, Row]:
        real = draw.batch.frames
        wrong = gather(draw.batch.audio_frames, draw.away[:, None])[:, 0]
        in_sync, moved, generated = self._logits(
            "sync", torch.cat([real, real, made]), torch.cat([right, wrong, right])
        ).chunk(3)
        loss = losses.sync_discriminator_loss(in_sync, moved, generated)
        return loss, {"sync_real": in_sync, "sync_shifted": moved, "sync_fake": generated}

    def persuade(self, scene: Scene) -> tuple[Tensor, Row]:
        """The generator's loss, Eq. 7, and its terms."""
        train, weights, batch = self.config.train, self.config.losses, scene.draw.batch
        with self.devices.autocast():
            if train.warm_up:
                # The noise generator learnt to speak the encoder's language: from then on that
                # must not change, or lids that it closes turn to speckle after some thousand steps.
                z_n = self._read_noise(scene.draw).detach()
                row = self._reconstruct(scene.draw, scene.code, scene.z_c, z_n)
            else:  # the paper's: L1 on the frames that are judged, and no encoder
                row = self._halves(batch, scene.made) | {"lips": scene.made.new_zeros(())}
            seen = self._seen(scene.draw, scene.made)
            row["img"] = losses.frame_generator_loss(self._logits("frame", seen, batch.still))
            if scene.snippets:
                logits = self._logits("sync", scene.made, scene.audio)
                row["sync"] = losses.sync_generator_loss(logits)
            else:
                logits = self._logits("sequence", scene.made, scene.audio)
                row["seq"] = losses.sequence_generator_loss(logits)
            none = logits.new_zeros(())
            # Eq. 5 on the average over steps: a term that is in one step of n counts n times.
            every = train.sequence_every
            adversarial = losses.adversarial_loss(
                row["img"],
                row.get("sync", none) * every / max(1, every - 1),
                row.get("seq", none) * every,
                weights,
            )
            l1 = row["l1_lower"] + train.eyes_weight * row["l1_eyes"]
            l1 = l1 + train.still_weight * row["l1_still"]
            loss = losses.generator_loss(adversarial, l1, weights) + train.lips_weight * row["lips"]
            row["l1_to_adversarial"] = weights.l1 * row["l1_lower"] / adversarial.clamp(min=1e-6)
            return loss, row

    def _numbers(self, rows: list[Row], norms: Row) -> dict[str, float]:
        """Means over the rows, and the norms, fetched from the device at once."""
        names = [*rows[0], *norms]
        means = [
            torch.stack([row[name].detach().float() for row in rows]).mean() for name in rows[0]
        ]
        return dict(zip(names, torch.stack([*means, *norms.values()]).tolist(), strict=True))

    @torch.no_grad()
    def noise_sequences(self, data: Clips, count: int) -> Tensor:
        """z_n (N, T, noise_dim) that the encoder reads off `count` clips, spread over all.

        T is the length of the shortest of them. Where there are clips of `noise_prior.ENOUGH`
        frames, shorter ones are left out.
        """
        long = [n for n in range(len(data)) if len(data.frames[n]) >= noise_prior.ENOUGH]
        long = long or list(range(len(data)))
        rows = []
        for place in np.linspace(0, len(long) - 1, min(count, len(long))).astype(int):
            chosen = long[place]
            frames = self.devices.move(to_unit(data.frames[chosen])[None])
            rows.append(self.modules["noise_encoder"](frames, frames[:, 0]).cpu())
        shortest = min(row.shape[1] for row in rows)
        return torch.cat([row[:, :shortest] for row in rows])

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
