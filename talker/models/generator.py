"""The generator (section 3.1, Fig. 3): one still and a recording -> one frame per audio frame."""

from torch import Tensor, nn

from talker.config import ModelConfig
from talker.errors import TalkerError
from talker.models.content_encoder import ContentEncoder
from talker.models.frame_decoder import FrameDecoder
from talker.models.identity_encoder import IdentityCode, IdentityEncoder
from talker.models.noise_generator import NoiseGenerator


class Generator(nn.Module):
    """Identity encoder, content encoder, noise generator and frame decoder, put together.

    `forward` is the whole of it. Its steps can be taken one by one: to encode a still once and
    stream any length of audio past it, or to decode only some frames of a training clip.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.identity_encoder = IdentityEncoder(config)
        self.content_encoder = ContentEncoder(config)
        self.noise_generator = NoiseGenerator(config)
        self.frame_decoder = FrameDecoder(config)

    def encode_still(self, still: Tensor) -> IdentityCode:
        """still (B, 3, H, W) in [-1, 1] -> z_id and skips. Raises TalkerError on other sizes."""
        expected = (3, self.config.height, self.config.img_width)
        if still.ndim != 4 or tuple(still.shape[1:]) != expected:
            raise TalkerError(
                f"the still has shape {tuple(still.shape)}: this generator takes a batch of "
                f"{expected[0]}x{expected[1]}x{expected[2]} (align and crop it first)"
            )
        return self.identity_encoder(still)

    def decode(self, code: IdentityCode, z_c: Tensor, z_n: Tensor) -> Tensor:
        """z_c (B, F, content_dim), z_n (B, F, noise_dim) -> frames (B, F, 3, H, W) in [-1, 1]."""
        return self.frame_decoder(code, z_c, z_n)

    def forward(self, still: Tensor, audio_frames: Tensor, noise: Tensor) -> Tensor:
        """The whole line, for T audio frames of B clips.

        still: (B, 3, H, W) in [-1, 1]; audio_frames: (B, T, window * rate) from
        `talker.audio.audio_frames`; noise: (B, T, noise_dim) from `noise_generator.draw`.
        Returns frames (B, T, 3, H, W) in [-1, 1].
        """
        z_c, _ = self.content_encoder(audio_frames)
        z_n, _ = self.noise_generator(noise)
        return self.decode(self.encode_still(still), z_c, z_n)
