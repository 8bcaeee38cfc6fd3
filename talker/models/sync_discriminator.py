"""Synchronization discriminator (section 3.2.3, Fig. 5): does this mouth say this sound?"""

import math

import torch
from torch import Tensor, nn

from talker.config import DiscriminatorConfig, ModelConfig
from talker.models.audio_frame_encoder import AudioFrameEncoder
from talker.models.layers import halving_stack


class SyncDiscriminator(nn.Module):
    """Two streams, the Euclidean distance of their embeddings, a single-layer perceptron.

    The video stream sees the lower half of a snippet, the audio stream the audio frame that lasts
    as long and is centred on the snippet's middle frame. Both embeddings end in Tanh. The
    perceptron starts out saying that near means in sync, because at the paper's learning rate of
    1e-5 one weight would take a hundred thousand steps to change its sign.
    """

    def __init__(self, model: ModelConfig, config: DiscriminatorConfig) -> None:
        super().__init__()
        dim, width = config.embedding_dim, config.sync_width
        self.top = model.height // 2
        self.video = nn.Sequential(
            halving_stack(3 * model.audio.snippet, width, levels=4),
            nn.Conv2d(width << 3, dim, (model.height // 32, model.img_width // 16)),
            nn.Flatten(),
            nn.Tanh(),
        )
        self.audio = AudioFrameEncoder(model.audio, config.audio_width, dim, "group")
        self.perceptron = nn.Linear(1, 1)
        # Untrained embeddings are about sqrt(dim) / 2 apart: logit 0, with room on both sides.
        nn.init.constant_(self.perceptron.weight, -4 / math.sqrt(dim))
        nn.init.constant_(self.perceptron.bias, 2.0)

    def distance(self, snippet: Tensor, audio_frame: Tensor) -> Tensor:
        """Euclidean distance (B,) of the embeddings of (B, 5, 3, H, W) and (B, window * rate)."""
        mouth = snippet[..., self.top :, :].flatten(1, 2)
        difference = self.video(mouth) - self.audio(audio_frame.unsqueeze(1)).squeeze(1)
        # The constant keeps the root's gradient finite when the embeddings coincide.
        return torch.sqrt(difference.square().sum(-1) + 1e-8)

    def forward(self, snippet: Tensor, audio_frame: Tensor) -> Tensor:
        """snippet (B, 5, 3, H, W) in [-1, 1], audio_frame (B, window * rate) -> logits (B,)."""
        return self.perceptron(self.distance(snippet, audio_frame).unsqueeze(-1)).squeeze(-1)
