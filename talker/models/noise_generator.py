"""Noise generator (section 3.1.3): what the audio does not decide, such as when to blink."""

import math

import torch
from torch import Tensor, nn

from talker.config import ModelConfig


class NoiseGenerator(nn.Module):
    """White Gaussian noise made temporally coherent by a GRU, as spontaneous motion is."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dim = config.noise_dim
        self.deviation = math.sqrt(config.noise_variance)
        hidden = config.noise_hidden or self.dim
        self.gru = nn.GRU(self.dim, hidden, batch_first=True)
        self.last = nn.Linear(hidden, self.dim) if config.noise_hidden else nn.Identity()
        if config.noise_hidden:
            # PyTorch's default makes z_n so faint that a critic of it has nothing to correct.
            with torch.no_grad():
                for weight in (self.gru.weight_ih_l0, self.gru.weight_hh_l0, self.last.weight):
                    weight.mul_(2)

    def draw(self, batch: int, time: int, generator: torch.Generator) -> Tensor:
        """White noise (batch, time, noise_dim), mean 0, variance 0.6, on the generator's device."""
        shape = (batch, time, self.dim)
        noise = torch.randn(shape, generator=generator, device=generator.device)
        return noise * self.deviation

    def forward(self, noise: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """White noise (B, T, noise_dim) -> z_n of the same shape, and the next chunk's state."""
        coherent, state = self.gru(noise, state)
        return self.last(coherent).tanh(), state
