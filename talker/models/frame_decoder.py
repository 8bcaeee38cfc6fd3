"""Frame decoder (section 3.1.4): z_id, z_c, z_n and the still's skip features -> pixels.

A U-Net's second half: every level concatenates the identity encoder's features of the same size
(Fig. 4: without them the result is somebody else). Those features are the same for every frame of
a clip, so their half of each convolution is computed once per still and added to every frame.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from talker.config import ModelConfig
from talker.models.identity_encoder import IdentityCode
from talker.models.layers import normalise


class SkipConvolution(nn.Conv2d):
    """A 3x3 convolution of [h, skip] in which `skip` is shared by consecutive frames.

    Convolution is linear, conv([h, skip]) = conv_h(h) + conv_s(skip): one weight tensor, sliced,
    so that parameters are those of the convolution of the concatenation.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(2 * channels, out, 3, padding=1, bias=False)

    def forward(self, h: Tensor, skip: Tensor) -> Tensor:
        """h: (B * F, C, y, x), skip: (B, C, y, x) -> (B * F, out, y, x)."""
        own, shared = self.weight.split(self.in_channels // 2, dim=1)
        moving = F.conv2d(h, own, padding=1).unflatten(0, (len(skip), -1))
        still = F.conv2d(skip, shared, padding=1).unsqueeze(1)
        return (moving + still).flatten(0, 1)


class CodeMaps(nn.Module):
    """A linear function of a code with weights of its own at every position of the first `rows`.

    As if a few images, each a mixture that the code chooses, were concatenated to [h, skip] and met
    a 1x1 kernel. Faces are aligned, so an image can be "the lower lip" or "the lids".
    """

    MAPS = 6

    def __init__(self, dim: int, channels: int, size: tuple[int, int], rows: int) -> None:
        super().__init__()
        self.size, self.below = (rows, size[1]), size[0] - rows
        self.paint = nn.Linear(dim, self.MAPS * rows * size[1], bias=False)
        self.mix = nn.Conv2d(self.MAPS, channels, 1, bias=False)
        # Codes change little over time at first, and what starts faint is soon trained away.
        nn.init.normal_(self.paint.weight, std=0.3)

    def forward(self, code: Tensor) -> Tensor:
        """(N, dim) -> (N, channels, y, x), 0 below the first `rows`."""
        maps = self.mix(self.paint(code).unflatten(1, (self.MAPS, *self.size)))
        return F.pad(maps, (0, 0, 0, self.below))


class DecoderBlock(nn.Module):
    """Join the skip at one resolution (3x3), then double the resolution (4x4, stride 2).

    The stride-1 "transposed convolution" of the released model is an ordinary one with its
    kernel flipped; a last block has `last` channels and no norm or ReLU, others `last` = 0.
    """

    def __init__(
        self, config: ModelConfig, channels: int, size: tuple[int, int], injected: bool, last: int
    ) -> None:
        super().__init__()
        self.join = SkipConvolution(channels, channels)
        self.join_norm = normalise(config.normalisation, channels, dimensions=2)
        self.injected = injected
        if injected:
            self.content_maps = CodeMaps(config.content_dim, channels, size, rows=size[0])
            # Down to the lower lids and no further: lips must have nothing but sound to go by.
            lids = size[0] * 7 // 16
            self.noise_maps = CodeMaps(config.noise_dim, channels, size, rows=lids)
        after = last or channels // 2
        self.grow = nn.ConvTranspose2d(channels, after, 4, stride=2, padding=1, bias=False)
        self.finish = (
            nn.Identity()
            if last
            else nn.Sequential(normalise(config.normalisation, after, dimensions=2), nn.ReLU())
        )

    def forward(self, h: Tensor, skip: Tensor, z_c: Tensor, z_n: Tensor) -> Tensor:
        """h (B * F, C, y, x), skip (B, C, y, x), z_c and z_n (B * F, dim) -> twice the size."""
        joined = self.join(h, skip)
        if self.injected:
            joined = joined + self.content_maps(z_c) + self.noise_maps(z_n)
        return self.finish(self.grow(F.relu(self.join_norm(joined))))


class FrameDecoder(nn.Module):
    """Strided transposed convolutions from the latent vector of one frame to its pixels.

    Skips from 4x3, 8x6, 16x12 and 32x24; that of 64x48 too with `skip_64`, through a fifth block
    of the same kind; without it one bare transposed convolution takes the last step, as released.
    Without `skips` the networks are the same, and see zeros in their place.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.skips, self.injection = config.skips, config.injection
        latent = config.identity_dim + config.content_dim
        latent += 0 if config.injection else config.noise_dim
        rows, columns = config.height // 32, config.img_width // 32
        top = config.width * 16
        self.first = nn.ConvTranspose2d(latent, top, (rows, columns), bias=False)
        self.first_norm = normalise(config.normalisation, top, dimensions=2)
        self.composition = config.composition
        image = 4 if config.composition else 3
        self.blocks = nn.ModuleList(
            DecoderBlock(
                config,
                channels=top >> k,
                size=(rows << k, columns << k),
                injected=config.injection and k in (1, 2, 3),
                last=image if k == 4 else 0,
            )
            for k in range(5 if config.skip_64 else 4)
        )
        self.last = (
            nn.Identity()
            if config.skip_64
            else nn.ConvTranspose2d(config.width, image, 4, stride=2, padding=1, bias=False)
        )
        if config.composition:
            # Begin with the still itself. A code then has no effect until a use for it is found;
            # with a random one, training silences the codes first and lips hardly ever start.
            self.keep = nn.Parameter(torch.tensor(4.0))
            final = self.blocks[-1].grow if config.skip_64 else self.last
            nn.init.zeros_(final.weight)

    def forward(self, code: IdentityCode, z_c: Tensor, z_n: Tensor) -> Tensor:
        """z_c (B, F, content_dim), z_n (B, F, noise_dim) -> frames (B, F, 3, H, W) in [-1, 1].

        Every frame is decoded on its own, so any F frames of a clip may be asked for.
        """
        count = z_c.shape[1]
        z_id = code.z_id.unsqueeze(1).expand(-1, count, -1)
        parts = [z_id, z_c] if self.injection else [z_id, z_c, z_n]
        latent = torch.cat(parts, dim=-1).flatten(0, 1)
        z_c, z_n = z_c.flatten(0, 1), z_n.flatten(0, 1)
        h = F.relu(self.first_norm(self.first(latent[:, :, None, None])))
        for block, skip in zip(self.blocks, reversed(code.skips), strict=False):
            h = block(h, skip if self.skips else torch.zeros_like(skip), z_c, z_n)
        image = self.last(h).unflatten(0, (-1, count))
        if not self.composition:
            return image.tanh()
        change, mask = image[:, :, :3], (image[:, :, 3:] + self.keep).sigmoid()
        # In the space before Tanh: there the still can be kept, faded or painted over, and unlike
        # with a mask that chooses between two pictures, no weight is ever out of reach of L1.
        still = torch.atanh(0.97 * code.still).unsqueeze(1)
        return (mask * still + change).tanh()
