"""Content encoder (section 3.1.2): what is being said, one z_c per video frame."""

from torch import Tensor, nn

from talker.config import ModelConfig
from talker.models.audio_frame_encoder import AudioFrameEncoder


class ContentEncoder(nn.Module):
    """An embedding of each audio frame, then a GRU that remembers what was said before."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim = config.content_dim
        self.frames = AudioFrameEncoder(
            config.audio, config.audio_width, dim, config.audio_normalisation
        )
        self.gru = nn.GRU(dim, dim, num_layers=config.content_layers, batch_first=True)
        # PyTorch's default leaves z_c almost constant over time, and the first thing training does
        # with a faint, still meaningless signal is to silence it: lips then never start to move.
        for name, weight in self.gru.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.normal_(weight, std=2.5 / dim**0.5)

    def forward(self, audio_frames: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, T, window * rate) -> z_c (B, T, content_dim) and the state to give the next chunk.

        In eval mode, chunks with the state handed on give the same z_c as the whole recording.
        """
        return self.gru(self.frames(audio_frames), state)
