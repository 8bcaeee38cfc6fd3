"""One step of each phase of training (sections 3.2 and 3.3); the loop around it is `talker.train`.

Phase 1, warm-up: reconstruction only. The decoder gets z_n from the noise encoder, which looks at
the upper half of the real frame, so that L1 may count there too without blurring what audio cannot
know; then the noise generator learns to make such sequences by itself (`talker.noise_prior`).
Phase 2: Eq. 7. Frames made with the noise generator's own z_n are judged by the three
discriminators; L1 is that of the reconstruction with the encoder's z_n, on the lower half (Eq. 6)
and, with a weight of its own, on the upper. The encoder itself learns no more.
In both, a linear map has to read the lips' shape off z_c.

The paper has one phase and no encoder; chapter 1 of the book tables where we deviate, and why.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker import losses, noise_prior
from talker.checkpoint import load_generator
from talker.config import Config
from talker.dataset import Batch, Clips, to_unit
from talker.errors import TalkerError
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.generator import Generator
from talker.models.identity_encoder import IdentityCode
from talker.models.noise_encoder import NoiseEncoder
from talker.models.sequence_discriminator import SequenceDiscriminator
from talker.models.sync_discriminator import SyncDiscriminator

# Rows and columns of the canonical face, as shares of its height and width.
MOUTH = (74 / 128, 112 / 128, 24 / 96, 72 / 96)
EYES = (32 / 128, 56 / 128, 14 / 96, 82 / 96)


def _part(images: Tensor, place: tuple[float, float, float, float]) -> Tensor:
    """The rectangle `place` (top, bottom, left, right) of (..., H, W)."""
    height, width = images.shape[-2:]
    top, bottom, left, right = place
    rows = slice(int(top * height), int(bottom * height))
    return images[..., rows, int(left * width) : int(right * width)]


def gather(sequence: Tensor, at: Tensor) -> Tensor:
    """(B, T, D), at (B, F) int64 -> (B, F, D): the chosen time steps."""
    return sequence.gather(1, at.unsqueeze(-1).expand(-1, -1, sequence.shape[-1]))


def _batch_norms(module: nn.Module) -> list[nn.Module]:
    return [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def shifted(at: Tensor, length: int, least: int, rng: np.random.Generator) -> Tensor:
    """Centres (B,) of audio frames that are really out of sync with the video's centres `at` (B,).

    Each lies in 0..length-1 and at least `least` frames from its own: drawn again until it does.
    Raises ValueError when the sequence is too short for any.
    """
    moved = []
    for centre in at.tolist():
        allowed = [t for t in range(length) if abs(t - centre) >= least]
        if not allowed:
            raise ValueError(f"{length} frames leave no room for a shift of {least}")
        moved.append(int(rng.choice(allowed)))
    return torch.tensor(moved)


def _belief(logits: Tensor) -> float:
    """Mean probability of being real that a discriminator gives, 0..1."""
    return logits.sigmoid().mean().item()


class Trainer:
    """Networks, optimisers and one step of each phase."""

    def __init__(self, config: Config) -> None:
        self.config = config
        torch.manual_seed(config.train.seed)
        critics, train = config.discriminators, config.train
        self.generator = Generator(config.model)
        self.average = Generator(config.model).requires_grad_(False)  # of the weights, for use
        self.average.load_state_dict(self.generator.state_dict())
        self.modules: dict[str, nn.Module] = {
            "generator": self.generator,
            "average": self.average,
            "noise_encoder": NoiseEncoder(config.model),
            "lip_reading": nn.Linear(config.model.content_dim, 4),
            "frame": FrameDiscriminator(config.model, critics),
            "sequence": SequenceDiscriminator(config.model, critics),
            "sync": SyncDiscriminator(config.model, critics),
        }
        for module in self.modules.values():
            module.to(memory_format=torch.channels_last)
        rates = {
            "frame": train.frame_rate,
            "sequence": train.sequence_rate,
            "sync": train.sync_rate,
        }
        with_it = (self.modules["noise_encoder"], self.modules["lip_reading"])
        own = [p for m in (self.generator, *with_it) for p in m.parameters()]
        self.optimisers = {"generator": torch.optim.Adam(own, train.warm_up_rate, fused=True)}
        for name, rate in rates.items():
            parameters = self.modules[name].parameters()
            self.optimisers[name] = torch.optim.Adam(
                parameters, rate, betas=(0.5, 0.999), fused=True
            )
        self.rates = rates

    def start_from(self, folder: Path) -> None:
        """Go on from the weights and statistics of a saved generator.

        Raises TalkerError when its configuration is not that of this run.
        """
        saved = load_generator(folder)
        if saved.config != self.config.model:
            raise TalkerError(
                f"{folder} holds a generator of another shape: start from one of this preset."
            )
        for generator in (self.generator, self.average):
            generator.load_state_dict(saved.state_dict())

    def autocast(self) -> torch.autocast:
        """Products in the run's precision within it; losses, weights and moments stay float32."""
        return torch.autocast("cpu", torch.bfloat16, self.config.train.precision == "bf16")

    def set_rates(self, step: int, epoch_steps: int) -> None:
        """Learning rates: a short ramp and cosine in the warm-up, then the paper's step decay."""
        train = self.config.train
        if step < train.warm_up:
            ramp = min(1.0, (step + 1) / 100)
            fall = 0.1 + 0.45 * (1 + np.cos(np.pi * step / train.warm_up))
            self._set("generator", float(ramp * train.warm_up_rate * fall))
            return
        decays = (step - train.warm_up) // (epoch_steps * train.decay_epochs)
        self._set("generator", train.generator_rate * train.generator_decay**decays)
        for name, rate in self.rates.items():
            self._set(name, rate * train.discriminator_decay**decays)

    def _set(self, name: str, rate: float) -> None:
        for group in self.optimisers[name].param_groups:
            group["lr"] = rate

    def _l1(self, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Eq. 6 with the mouth emphasised, and the same for the upper half; (lower, upper)."""
        train, half = self.config.train, real.shape[-2] // 2
        lower = losses.reconstruction_loss(real, made)
        upper = F.l1_loss(made[..., :half, :], real[..., :half, :])
        mouth, eyes = (F.l1_loss(_part(made, place), _part(real, place)) for place in (MOUTH, EYES))
        return (
            (lower + train.mouth_emphasis * mouth) / (1 + train.mouth_emphasis),
            (upper + train.eye_emphasis * eyes) / (1 + train.eye_emphasis),
        )

    def _encoded(self, batch: Batch) -> tuple[IdentityCode, Tensor]:
        """The stills' codes, and z_c of every audio frame (B, T, content_dim)."""
        z_c, _ = self.generator.content_encoder(batch.audio_frames)
        return self.generator.encode_still(batch.still), z_c

    def _read_noise(self, batch: Batch, jitter: torch.Generator) -> Tensor:
        """The z_n (B, F, noise_dim) that the encoder reads off the real frames, a little shaken."""
        z_n = self.modules["noise_encoder"](batch.frames, batch.still)
        return z_n + self.config.train.noise_jitter * torch.randn(z_n.shape, generator=jitter)

    def _reconstruct(
        self, batch: Batch, code: IdentityCode, z_c: Tensor, z_n: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """L1 of the lower and the upper half, and of the lips read off z_c, in deviations."""
        made = self.generator.decode(code, gather(z_c, batch.at), z_n)
        lips = F.l1_loss(self.modules["lip_reading"](z_c).float(), batch.lips)
        return *self._l1(made, batch.frames), lips

    def _apply(self, name: str, loss: Tensor) -> float:
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, self.config.train.clip_norm)
        optimiser.step()
        return float(norm)

    @torch.no_grad()
    def calibrate(self, data: Clips, batches: int = 8) -> None:
        """Give the generator's batch norms the mean statistics of some random batches."""
        norms = _batch_norms(self.generator)
        for norm in norms:
            norm.momentum = None  # a plain mean over the batches
        for number in range(batches):
            rng = np.random.default_rng([self.config.train.seed, 5, number])
            jitter = torch.Generator().manual_seed(number)
            train = self.config.train
            batch = data.batch(rng, train.clips, train.frames, train.decoded)
            self._reconstruct(batch, *self._encoded(batch), self._read_noise(batch, jitter))
        for norm in norms:
            norm.momentum = 0.1

    def freeze(self) -> None:
        """Batch norm uses its stored statistics from now on."""
        for norm in _batch_norms(self.generator):
            norm.eval()

    def warm_up_step(self, data: Clips, rng: np.random.Generator) -> dict[str, float]:
        """One step of reconstruction."""
        train = self.config.train
        jitter = torch.Generator().manual_seed(int(rng.integers(2**62)))
        batch = data.batch(rng, train.clips, train.frames, train.decoded)
        z_n = self._read_noise(batch, jitter)
        lower, upper, lips = self._reconstruct(batch, *self._encoded(batch), z_n)
        # The weight of Eq. 7 although there is nothing to weigh against: gradients of the deepest
        # layers are else as small as Adam's epsilon.
        loss = self.config.losses.l1 * (lower + upper) + train.lips_weight * lips
        norm = self._apply("generator", loss)
        self._average()
        return {
            "l1_lower": lower.item(),
            "l1_upper": upper.item(),
            "lips": lips.item(),
            "grad_generator": norm,
        }

    def adversarial_step(
        self, data: Clips, rng: np.random.Generator, step: int
    ) -> dict[str, float]:
        """One step of Eq. 7: reconstruction, frame and sync terms; the sequence term every few."""
        train, weights = self.config.train, self.config.losses
        jitter = torch.Generator().manual_seed(int(rng.integers(2**62)))
        log: dict[str, float] = {}
        whole = step % train.sequence_every == 0
        if whole:
            batch = data.batch(rng, train.sequence_clips, 75, "all", train.sequence_stride)
        else:
            batch = data.batch(rng, train.adversarial_clips, train.frames, "run")
        code, z_c = self._encoded(batch)
        noise = self.generator.noise_generator.draw(*batch.audio_frames.shape[:2], jitter)
        z_n, _ = self.generator.noise_generator(noise)
        if train.warm_up:  # it had its own adversary; these see too few clips to say when to blink
            z_n = z_n.detach()
        made = self.generator.decode(code, gather(z_c, batch.at), gather(z_n, batch.at))
        real = batch.frames
        if train.warm_up:
            # The noise generator learnt to speak the encoder's language: from then on that must
            # not change, or lids that it closes turn to speckle after some thousand steps.
            seen = self._read_noise(batch, jitter).detach()
            lower, upper, lips = self._reconstruct(batch, code, z_c, seen)
        else:  # the paper's: L1 on the frames that are judged, and no encoder
            (lower, upper), lips = self._l1(made, real), made.new_zeros(())

        few = torch.from_numpy(rng.choice(made.shape[1], size=min(3, made.shape[1]), replace=False))
        log |= self._frame_critic(real[:, few], made[:, few].detach(), batch.still)
        img = losses.frame_generator_loss(self.modules["frame"](made[:, few], batch.still))
        sync = seq = made.new_zeros(())
        if whole:
            audio = gather(batch.audio_frames, batch.at)
            log |= self._sequence_critic(real, made.detach(), audio)
            seq = losses.sequence_generator_loss(self.modules["sequence"](made, audio))
        else:
            centre = batch.at[:, made.shape[1] // 2]
            log |= self._sync_critic(real, made.detach(), batch.audio_frames, centre, rng)
            audio = gather(batch.audio_frames, centre[:, None])[:, 0]
            sync = losses.sync_generator_loss(self.modules["sync"](made, audio))
        adversarial = losses.adversarial_loss(img, sync, seq, weights)
        reconstruction = lower + train.upper_weight * upper
        loss = losses.generator_loss(adversarial, reconstruction, weights)
        norm = self._apply("generator", loss + train.lips_weight * lips)
        self._average()
        ratio = weights.l1 * lower.item() / max(adversarial.item(), 1e-6)
        return log | {
            "l1_lower": lower.item(),
            "l1_upper": upper.item(),
            "lips": lips.item(),
            "img": img.item(),
            **({"seq": seq.item()} if whole else {"sync": sync.item(), "l1_to_adversarial": ratio}),
            "grad_generator": norm,
        }

    def _frame_critic(self, real: Tensor, made: Tensor, still: Tensor) -> dict[str, float]:
        critic = self.modules["frame"]
        scores = critic(torch.cat([real, made]), torch.cat([still, still]))
        on_real, on_made = scores.chunk(2)
        self._apply("frame", losses.frame_discriminator_loss(on_real, on_made))
        return {"frame_real": _belief(on_real), "frame_fake": _belief(on_made)}

    def _sequence_critic(self, real: Tensor, made: Tensor, audio: Tensor) -> dict[str, float]:
        critic = self.modules["sequence"]
        on_real, on_made = critic(real, audio), critic(made, audio)
        self._apply("sequence", losses.sequence_discriminator_loss(on_real, on_made))
        return {"sequence_real": _belief(on_real), "sequence_fake": _belief(on_made)}

    def _sync_critic(self, real, made, audio_frames, centre, rng) -> dict[str, float]:
        critic, snippet = self.modules["sync"], self.config.model.audio.snippet
        away = shifted(centre, audio_frames.shape[1], snippet, rng)
        right = gather(audio_frames, centre[:, None])[:, 0]
        wrong = gather(audio_frames, away[:, None])[:, 0]
        in_sync, moved, generated = critic(
            torch.cat([real, real, made]), torch.cat([right, wrong, right])
        ).chunk(3)
        self._apply("sync", losses.sync_discriminator_loss(in_sync, moved, generated))
        return {
            "sync_real": _belief(in_sync),
            "sync_shifted": _belief(moved),
            "sync_fake": _belief(generated),
        }

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - self.config.train.average_decay
        for kept, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            kept.lerp_(new, share)
        for kept, new in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(new)

    @torch.no_grad()
    def noise_sequences(self, data: Clips, count: int) -> Tensor:
        """z_n (N, T, noise_dim) that the encoder reads off `count` clips, spread over all.

        T is the length of the shortest of them.
        """
        rows = []
        for chosen in np.linspace(0, len(data) - 1, min(count, len(data))).astype(int):
            frames = to_unit(data.frames[chosen])[None]
            rows.append(self.modules["noise_encoder"](frames, frames[:, 0]))
        shortest = min(row.shape[1] for row in rows)
        return torch.cat([row[:, :shortest] for row in rows])

    def fit_noise(self, data: Clips, steps: int) -> float:
        """Fit the noise generator to the real sequences; returns `noise_prior.distance`."""
        distance = noise_prior.fit(
            self.generator.noise_generator,
            self.noise_sequences(data, 400),
            steps,
            self.config.train.seed,
        )
        self.average.noise_generator.load_state_dict(self.generator.noise_generator.state_dict())
        return distance
