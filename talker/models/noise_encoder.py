"""Noise encoder: the z_n that a real frame would have needed. For training only; not in the paper.

Whatever the upper half of a frame shows that audio does not decide (lids, brows, gaze, a small turn
of the head) has to reach the decoder through z_n, or an L1 loss averages it away. As in the cVAE
branch of BicycleGAN and in hybrid autoencoders, an encoder reads it off the real frame while
training reconstructs; the noise generator then learns to produce such sequences by itself
(`talker.noise_prior`), and talks without the encoder.
"""

import torch
from torch import Tensor, nn

from talker.config import ModelConfig
from talker.models.layers import halving_stack


class NoiseEncoder(nn.Module):
    """A small CNN on the upper half of frame and still, less what it says of the still alone; Tanh.

    A frame that looks like the still has z_n = 0, whoever it shows.
    """

    def __init__(self, config: ModelConfig, width: int = 16) -> None:
        super().__init__()
        self.rows = config.height // 2
        self.stack = halving_stack(6, width, levels=4)
        rest = (config.height // 32, config.img_width // 16)
        self.last = nn.Conv2d(width << 3, config.noise_dim, rest, bias=False)
        # Frames of one clip differ little: begin with a code that shows it (see ContentEncoder).
        nn.init.normal_(self.last.weight, std=4 / (self.last.weight[0].numel()) ** 0.5)

    def forward(self, frames: Tensor, still: Tensor) -> Tensor:
        """frames (B, F, 3, H, W), still (B, 3, H, W) in [-1, 1] -> z_n (B, F, noise_dim)."""
        everything = torch.cat([still.unsqueeze(1), frames], dim=1)
        condition = still.unsqueeze(1).expand_as(everything)
        pairs = torch.cat([everything, condition], dim=2)[..., : self.rows, :].flatten(0, 1)
        codes = self.last(self.stack(pairs)).flatten(1).unflatten(0, everything.shape[:2])
        return (codes[:, 1:] - codes[:, :1]).tanh()
