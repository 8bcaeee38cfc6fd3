"""Identity encoder (section 3.1.1): who it is, from one still, as a code and as skip features."""

from typing import NamedTuple

from torch import Tensor, nn

from talker.config import ModelConfig
from talker.models.layers import normalise


class IdentityCode(NamedTuple):
    """What is known of a still: everything the decoder needs, computed once per still.

    z_id: (B, identity_dim) in (-1, 1). skips: the five feature levels, finest first; at 128x96
    and width 64 they are (B, 64, 64, 48), (B, 128, 32, 24), ... (B, 1024, 4, 3). still: the
    (B, 3, H, W) it was read from, which `composition` paints over.
    """

    z_id: Tensor
    skips: list[Tensor]
    still: Tensor


class IdentityEncoder(nn.Module):
    """A 6-layer CNN: five strided convolutions that halve the image, and one that reads the rest.

    Each of the five is a 4x4 convolution of stride 2 without bias (the norm that follows has one),
    a norm and ReLU; channels double from `width`. The sixth spans what is left, then Tanh.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels = [3] + [config.width * 2**k for k in range(5)]
        self.levels = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False),
                normalise(config.normalisation, after, dimensions=2),
                nn.ReLU(),
            )
            for before, after in zip(channels, channels[1:], strict=False)
        )
        rest = (config.height // 32, config.img_width // 32)
        self.last = nn.Conv2d(channels[-1], config.identity_dim, rest, bias=False)

    def forward(self, still: Tensor) -> IdentityCode:
        """still: (B, 3, H, W) in [-1, 1]."""
        skips = []
        features = still
        for level in self.levels:
            features = level(features)
            skips.append(features)
        return IdentityCode(self.last(features).flatten(1).tanh(), skips, still)
