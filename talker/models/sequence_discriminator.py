"""Sequence discriminator (section 3.2.2): does this clip move as a talking person moves?"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.config import DiscriminatorConfig, ModelConfig
from talker.errors import TalkerError
from talker.models.audio_frame_encoder import AudioFrameEncoder
from talker.models.layers import halving_stack


class SequenceDiscriminator(nn.Module):
    """Spatio-temporal convolutions at every step, a GRU, and one linear layer at the end.

    The first convolution spans `SPAN` neighbouring frames (at either end of the clip the outermost
    frame repeats), the others are spatial. An embedding of the step's audio frame is concatenated
    before the GRU: D_seq(x, a) of Eq. 4. Any number of frames; `sequence_pool` averages pixels
    first, which is cheaper and blinder (at 2, an eye is about five pixels high).
    """

    SPAN = 3

    def __init__(self, model: ModelConfig, config: DiscriminatorConfig) -> None:
        super().__init__()
        levels = {1: 5, 2: 4, 4: 3}.get(config.sequence_pool)
        if levels is None:
            raise TalkerError(f"sequence_pool is {config.sequence_pool}: use 1, 2 or 4")
        dim, width = config.embedding_dim, config.sequence_width
        self.pool = config.sequence_pool
        self.stack = halving_stack(3 * self.SPAN, width, levels)
        rest = (model.height // 32, model.img_width // 32)
        self.embed = nn.Conv2d(width << (levels - 1), dim, rest)
        self.audio = AudioFrameEncoder(model.audio, config.audio_width, dim, "group")
        self.gru = nn.GRU(2 * dim, dim, batch_first=True)
        self.last = nn.Linear(dim, 1)

    def forward(self, frames: Tensor, audio_frames: Tensor) -> Tensor:
        """frames (B, T, 3, H, W), audio_frames (B, T, window * rate) -> logits (B,)."""
        batch, time = frames.shape[:2]
        small = F.avg_pool2d(frames.flatten(0, 1), self.pool).unflatten(0, (batch, time))
        reach = self.SPAN // 2
        steps = torch.arange(time, device=frames.device)
        offsets = torch.arange(-reach, reach + 1, device=frames.device)
        neighbours = (steps[:, None] + offsets).clamp(0, time - 1)
        # A 3-D convolution over SPAN frames is a 2-D one over their stacked channels.
        stacked = small[:, neighbours].flatten(0, 1).flatten(1, 2)
        motion = self.embed(self.stack(stacked)).view(batch, time, -1)
        _, state = self.gru(torch.cat([motion, self.audio(audio_frames)], dim=-1))
        return self.last(state[-1]).squeeze(-1)
