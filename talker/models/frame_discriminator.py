"""Frame discriminator (section 3.2.1): is this a photograph of the person in the still?"""

import torch
from torch import Tensor, nn

from talker.config import DiscriminatorConfig, ModelConfig
from talker.models.layers import halving_stack


class FrameDiscriminator(nn.Module):
    """A 6-layer CNN on a frame and the still, concatenated channel-wise; no sigmoid."""

    def __init__(self, model: ModelConfig, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.stack = halving_stack(6, config.frame_width, levels=5)
        rest = (model.height // 32, model.img_width // 32)
        self.last = nn.Conv2d(config.frame_width << 4, 1, rest)

    def forward(self, frames: Tensor, still: Tensor) -> Tensor:
        """frames (B, F, 3, H, W), still (B, 3, H, W), both in [-1, 1] -> logits (B, F)."""
        condition = still.unsqueeze(1).expand_as(frames)
        pairs = torch.cat([frames, condition], dim=2).flatten(0, 1)
        return self.last(self.stack(pairs)).view(frames.shape[:2])
