"""The networks of a training run, their optimisers and learning rates, and the running average."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from talker.checkpoint import load_generator, load_network, read_description, save_network
from talker.config import Config, to_json
from talker.devices import Devices
from talker.errors import TalkerError
from talker.models.frame_discriminator import FrameDiscriminator
from talker.models.generator import Generator
from talker.models.noise_encoder import NoiseEncoder
from talker.models.sequence_discriminator import SequenceDiscriminator
from talker.models.sync_discriminator import SyncDiscriminator

COMPANIONS = ("noise_encoder", "lip_reading", "frame", "sequence", "sync")
COMPANIONS_TENSORS, COMPANIONS_ABOUT = "companions.safetensors", "companions.json"


class Networks:
    """Generator, its running average, what helps to train it, and the three discriminators.

    `modules` and `optimisers` hold them by name; the optimiser "generator" has the noise encoder
    and the reading of lips too. All on the device of this process, images channels-last.
    """

    def __init__(self, config: Config, devices: Devices) -> None:
        self.config, self.devices = config, devices
        torch.manual_seed(config.train.seed)
        critics, train = config.discriminators, config.train
        self.generator = Generator(config.model)
        self.average = Generator(config.model).requires_grad_(False)  # of the weights, for use
        self.average.load_state_dict(self.generator.state_dict())
        self.average.eval()
        if not train.freeze_statistics:
            devices.synchronise_norms(self.generator)
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
            module.to(devices.device, memory_format=torch.channels_last)
        if train.compile:
            self._compile()
        with_it = (self.modules["noise_encoder"], self.modules["lip_reading"])
        own = [p for m in (self.generator, *with_it) for p in m.parameters()]
        self.optimisers = {"generator": torch.optim.Adam(own, train.warm_up_rate, fused=True)}
        self._critic_rates = {
            "frame": train.frame_rate,
            "sequence": train.sequence_rate,
            "sync": train.sync_rate,
        }
        for name, rate in self._critic_rates.items():
            parameters = self.modules[name].parameters()
            self.optimisers[name] = torch.optim.Adam(
                parameters, rate, betas=(0.5, 0.999), fused=True
            )

    def _compile(self) -> None:
        """Compile the networks of images, in place; the GRUs are PyTorch's own kernels already."""
        encoder, decoder = self.generator.identity_encoder, self.generator.frame_decoder
        critics = (self.modules["frame"], self.modules["sequence"].stack, self.modules["sync"])
        for module in (encoder, decoder, *critics):
            module.compile()

    @property
    def companions(self) -> nn.ModuleDict:
        """What training needs beside the generator: noise encoder, reading of lips, judges."""
        return nn.ModuleDict({name: self.modules[name] for name in COMPANIONS})

    def shape(self) -> dict:
        """The settings that `companions` are built from, as JSON values."""
        parts = {"model": self.config.model, "discriminators": self.config.discriminators}
        return {name: to_json(part) for name, part in parts.items()}

    def start_from(self, folder: Path) -> bool:
        """Go on from the weights and statistics of a saved generator.

        Returns whether its companions were there too; those that are missing, or of other settings
        than this run's, are left as they are. Raises TalkerError when the generator's configuration
        is not that of this run, or a file is damaged.
        """
        saved = load_generator(folder)
        if saved.config != self.config.model:
            raise TalkerError(
                f"{folder} holds a generator of another shape: start from one of this preset."
            )
        for generator in (self.generator, self.average):
            generator.load_state_dict(saved.state_dict())
        tensors, about = folder / COMPANIONS_TENSORS, folder / COMPANIONS_ABOUT
        if not about.exists() or read_description(about)["model"] != self.shape():
            return False
        found = load_network(tensors, about, lambda _: copy.deepcopy(self.companions))
        self.companions.load_state_dict(found.state_dict())
        return True

    def save_companions(self, folder: Path) -> None:
        """Write `companions` as fp16 into a generator's folder, for `start_from`."""
        files = folder / COMPANIONS_TENSORS, folder / COMPANIONS_ABOUT
        save_network(*files, self.companions, self.shape(), {})

    def set_rates(self, step: int, epoch_steps: int) -> None:
        """Learning rates: a short ramp and cosine in the warm-up, then the paper's step decay.

        epoch_steps: adversarial steps in which as many clips are seen as the corpus has.
        """
        train = self.config.train
        if step < train.warm_up:
            ramp = min(1.0, (step + 1) / 100)
            fall = 0.1 + 0.45 * (1 + np.cos(np.pi * step / train.warm_up))
            self._set("generator", float(ramp * train.warm_up_rate * fall))
            return
        decays = (step - train.warm_up) // (epoch_steps * train.decay_epochs)
        self._set("generator", train.generator_rate * train.generator_decay**decays)
        for name, rate in self._critic_rates.items():
            self._set(name, rate * train.discriminator_decay**decays)

    def rate(self, name: str) -> float:
        """The learning rate of an optimiser."""
        return self.optimisers[name].param_groups[0]["lr"]

    def _set(self, name: str, rate: float) -> None:
        for group in self.optimisers[name].param_groups:
            group["lr"] = rate

    @contextmanager
    def held(self, *names: str) -> Iterator[None]:
        """Gradients pass through these networks and do not collect in them."""
        for name in names:
            self.modules[name].requires_grad_(False)
        try:
            yield
        finally:
            for name in names:
                self.modules[name].requires_grad_(True)

    def clear(self, *names: str) -> None:
        """Forget the gradients of these optimisers' weights."""
        for name in names:
            self.optimisers[name].zero_grad(set_to_none=True)

    def descend(self, name: str) -> Tensor:
        """Average gradients over processes, clip them, step; returns their norm before clipping."""
        optimiser = self.optimisers[name]
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        self.devices.average_gradients(parameters)
        norm = nn.utils.clip_grad_norm_(parameters, self.config.train.clip_norm)
        optimiser.step()
        return norm

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the average a little towards the generator; statistics are copied."""
        share = 1 - self.config.train.average_decay
        for kept, new in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            kept.lerp_(new, share)
        for kept, new in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(new)
